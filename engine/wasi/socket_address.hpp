// An address of a socket as the host has it.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "engine/wasi/socket_abi.hpp"

namespace engine::wasi {

/// That of a unix socket is a path in the guest's view, yet to be resolved (unix_address.hpp).
struct SocketAddress {
  int family = AF_UNSPEC;
  sockaddr_in inet4{};
  sockaddr_in6 inet6{};
  std::string path;

  /// Of an internet address.
  const sockaddr* host() const;
  socklen_t host_size() const;

  /// AF_UNSPEC when the kernel had none to give, and for families that guests do not know.
  static SocketAddress of(const sockaddr_storage& storage, socklen_t size);
};

/// 0 for a unix socket.
std::uint16_t port_of(const SocketAddress& address);
AddressFamily guest_family(int family);

}  // namespace engine::wasi
