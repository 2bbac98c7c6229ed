// sock_getlocaladdr and sock_getpeeraddr of WasmEdge's extension, in its two forms: the older one
// says the family beside the address, as 4 or 6.
#include <optional>

#include "base/result.hpp"
#include "engine/wasi/functions.hpp"
#include "engine/wasi/socket.hpp"

namespace engine::wasi {
namespace {

Result<SocketAddress> peer_address(const Call& /*call*/, const DescriptorRef& socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  // Safety: getpeername(2)'s own idiom.
  if (::getpeername(socket->fd.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return fail_from_host();
  }
  return SocketAddress::of(storage, size);
}

std::uint32_t old_family(int family) {
  switch (family) {
    case AF_INET:
      return 4;
    case AF_INET6:
      return 6;
    default:
      return static_cast<std::uint32_t>(guest_family(family));
  }
}

using Ask = Result<SocketAddress> (*)(const Call&, const DescriptorRef&);

Result<void> put_address(const Call& call, Fd fd, Ask ask, Address address,
                         std::optional<Address> family, Address port) {
  const DescriptorRef socket = TRY(get_socket(call, fd, 0));
  const auto out = TRY(AddressOut::at(call, address));
  const auto out_port = TRY(call.out<std::uint32_t>(port));
  std::optional<Out<std::uint32_t>> out_family;
  if (family) out_family = TRY(call.out<std::uint32_t>(*family));
  const SocketAddress found = TRY(ask(call, socket));
  TRY(out.set(found));
  out_port.set(port_of(found));
  if (out_family) out_family->set(old_family(found.family));
  return {};
}

}  // namespace

Result<void> sock_getlocaladdr(Call& call, Fd fd, Address address, Address port) {
  return put_address(call, fd, local_address, address, std::nullopt, port);
}

Result<void> sock_getlocaladdr_v1(Call& call, Fd fd, Address address, Address family,
                                  Address port) {
  return put_address(call, fd, local_address, address, family, port);
}

Result<void> sock_getpeeraddr(Call& call, Fd fd, Address address, Address port) {
  return put_address(call, fd, peer_address, address, std::nullopt, port);
}

Result<void> sock_getpeeraddr_v1(Call& call, Fd fd, Address address, Address family, Address port) {
  return put_address(call, fd, peer_address, address, family, port);
}

}  // namespace engine::wasi
