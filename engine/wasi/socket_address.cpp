#include "engine/wasi/socket_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace engine::wasi {

const sockaddr* SocketAddress::host() const {
  // Safety: bind(2)'s own idiom.
  return family == AF_INET ? reinterpret_cast<const sockaddr*>(&inet4)
                           : reinterpret_cast<const sockaddr*>(&inet6);
}

socklen_t SocketAddress::host_size() const {
  return family == AF_INET ? sizeof(inet4) : sizeof(inet6);
}

SocketAddress SocketAddress::of(const sockaddr_storage& storage, socklen_t size) {
  SocketAddress out;
  if (size < sizeof(sa_family_t)) return out;
  if (storage.ss_family == AF_INET) {
    std::memcpy(&out.inet4, &storage, sizeof(out.inet4));
  } else if (storage.ss_family == AF_INET6) {
    std::memcpy(&out.inet6, &storage, sizeof(out.inet6));
  } else if (storage.ss_family == AF_UNIX) {
    sockaddr_un address{};
    std::memcpy(&address, &storage, std::min<std::size_t>(size, sizeof(address)));
    out.path.assign(address.sun_path, ::strnlen(address.sun_path, sizeof(address.sun_path)));
  } else {
    return out;
  }
  out.family = storage.ss_family;
  return out;
}

std::uint16_t port_of(const SocketAddress& address) {
  if (address.family == AF_INET) return ntohs(address.inet4.sin_port);
  return address.family == AF_INET6 ? ntohs(address.inet6.sin6_port) : std::uint16_t{0};
}

AddressFamily guest_family(int family) {
  switch (family) {
    case AF_INET:
      return AddressFamily::Inet4;
    case AF_INET6:
      return AddressFamily::Inet6;
    case AF_UNIX:
      return AddressFamily::Unix;
    default:
      return AddressFamily::Unspecified;
  }
}

}  // namespace engine::wasi
