// sock_open, sock_bind, sock_listen, sock_connect of WasmEdge's extension
// (docs/formats/wasi-sockets.md), each within the guest's policy.
#include <netinet/tcp.h>

#include <algorithm>

#include "base/result.hpp"
#include "engine/wasi/functions.hpp"
#include "engine/wasi/socket.hpp"
#include "engine/wasi/unix_address.hpp"

namespace engine::wasi {
namespace {

Result<int> host_family(std::uint32_t family) {
  switch (static_cast<AddressFamily>(family)) {
    case AddressFamily::Inet4:
      return AF_INET;
    case AddressFamily::Inet6:
      return AF_INET6;
    case AddressFamily::Unix:
      return AF_UNIX;
    case AddressFamily::Unspecified:
      break;
  }
  return fail(Errno::Inval);
}

SocketKind kind_of(const Descriptor& socket, int family) {
  if (family == AF_UNIX) return SocketKind::Unix;
  return socket.filetype == Filetype::SocketDgram ? SocketKind::Udp : SocketKind::Tcp;
}

Result<void> succeeded(int result) {
  if (result != 0) return fail_from_host();
  return {};
}

}  // namespace

Result<void> check_policy(const Call& call, SocketUse use, const Descriptor& socket,
                          const SocketAddress& address) {
  const SocketKind kind = kind_of(socket, address.family);
  if (!call.context().sockets.allows(use, kind, address)) return fail(Errno::Acces);
  return {};
}

Result<void> sock_open(Call& call, std::uint32_t family, std::uint32_t type, Address opened) {
  const auto out = TRY(call.out<Fd>(opened));
  if (!call.context().sockets.allows_sockets()) return fail(Errno::Acces);
  if (family > UINT8_MAX || type > UINT8_MAX) return fail(Errno::Inval);
  const int host = TRY(host_family(family));
  const bool stream = static_cast<SocketType>(type) == SocketType::Stream;
  if (!stream && static_cast<SocketType>(type) != SocketType::Datagram) return fail(Errno::Inval);
  base::UniqueFd socket(::socket(host, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0));
  if (!socket) return fail_from_host();
  if (stream && host != AF_UNIX) {
    // The extension has no option for it, and without it an answer in two parts takes 40 ms.
    const int on = 1;
    TRY(succeeded(::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on))));
  }
  const Filetype filetype = stream ? Filetype::SocketStream : Filetype::SocketDgram;
  out.set(TRY(call.descriptors().add(socket_descriptor(std::move(socket), filetype))));
  return {};
}

Result<void> sock_bind(Call& call, Fd fd, Address address, std::uint32_t port) {
  const DescriptorRef socket = TRY(get_socket(call, fd, 0));
  const SocketAddress wanted = TRY(read_address(call, address, port));
  TRY(check_policy(call, SocketUse::Bind, *socket, wanted));
  if (wanted.family != AF_UNIX) {
    return succeeded(::bind(socket->fd.get(), wanted.host(), wanted.host_size()));
  }
  const UnixAddress place = TRY(UnixAddress::to_create(call.descriptors(), wanted.path));
  TRY(succeeded(::bind(socket->fd.get(), place.host(), place.host_size())));
  call.descriptors().set_socket_path(socket, wanted.path);
  return {};
}

Result<void> sock_listen(Call& call, Fd fd, std::uint32_t backlog) {
  const DescriptorRef socket = TRY(get_socket(call, fd, rights::kSockAccept));
  // Without a bind before it, listen(2) takes a port of its own choice.
  const SocketAddress local = TRY(local_address(call, socket));
  TRY(check_policy(call, SocketUse::Bind, *socket, local));
  // The kernel lowers it to net.core.somaxconn.
  return succeeded(::listen(socket->fd.get(), static_cast<int>(std::min(backlog, 65535U))));
}

Result<void> sock_connect(Call& call, Fd fd, Address address, std::uint32_t port) {
  const DescriptorRef socket = TRY(get_socket(call, fd, 0));
  const SocketAddress wanted = TRY(read_address(call, address, port));
  TRY(check_policy(call, SocketUse::Connect, *socket, wanted));
  if (wanted.family != AF_UNIX) {
    return succeeded(::connect(socket->fd.get(), wanted.host(), wanted.host_size()));
  }
  const UnixAddress place = TRY(UnixAddress::to_reach(call.descriptors(), wanted.path));
  return succeeded(::connect(socket->fd.get(), place.host(), place.host_size()));
}

}  // namespace engine::wasi
