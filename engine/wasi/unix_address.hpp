// A unix socket's path, resolved in the guest's directories as every other path is.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "base/unique_fd.hpp"
#include "engine/wasi/descriptor.hpp"

namespace engine::wasi {

/// bind(2) and connect(2) take nothing but a path, which the kernel would resolve in its own way.
/// This one leads through /proc/self/fd to what open_path found, which is kept open meanwhile; the
/// only magic link on it is ours.
class UnixAddress {
 public:
  /// For bind: the last component is new, and never followed. RoFs in a read-only directory.
  static Result<UnixAddress> to_create(DescriptorTable& descriptors, const std::string& path);
  /// For connect and for sending: the socket itself.
  static Result<UnixAddress> to_reach(DescriptorTable& descriptors, const std::string& path);

  const sockaddr* host() const;
  socklen_t host_size() const { return sizeof(address_); }

 private:
  UnixAddress(base::UniqueFd file, const std::string& path);

  base::UniqueFd file_;
  sockaddr_un address_{};
};

}  // namespace engine::wasi
