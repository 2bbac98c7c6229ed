// sock_recv_from and sock_send_to of WasmEdge's extension.
#include <optional>

#include "base/result.hpp"
#include "engine/wasi/functions.hpp"
#include "engine/wasi/socket.hpp"
#include "engine/wasi/unix_address.hpp"

namespace engine::wasi {
namespace {

struct Received {
  Size size = 0;
  std::uint16_t flags = 0;
  SocketAddress sender;
};

Result<Received> receive(const Descriptor& socket, GuestIovecs& buffers, std::uint32_t flags) {
  const int host_flags = TRY(host_receive_flags(flags));
  sockaddr_storage sender{};
  msghdr message = message_of(buffers);
  message.msg_name = &sender;
  message.msg_namelen = sizeof(sender);
  const ssize_t got = ::recvmsg(socket.fd.get(), &message, host_flags);
  if (got < 0) return fail_from_host();
  return Received{static_cast<Size>(got), guest_receive_flags(message.msg_flags),
                  SocketAddress::of(sender, message.msg_namelen)};
}

Result<void> receive_from(const Call& call, Fd fd, Address iovs, Size count, Address address,
                          std::uint32_t flags, std::optional<Address> port, Address received,
                          Address flags_out) {
  const DescriptorRef socket = TRY(get_socket(call, fd, rights::kFdRead));
  const auto size = TRY(call.out<Size>(received));
  const auto out_flags = TRY(call.out<std::uint16_t>(flags_out));
  const auto sender = TRY(AddressOut::at(call, address));
  std::optional<Out<std::uint16_t>> out_port;
  if (port) out_port = TRY(call.out<std::uint16_t>(*port));
  GuestIovecs buffers;
  TRY(buffers.read(call, iovs, count));
  const Received message = TRY(receive(*socket, buffers, flags));
  // The message is gone from the socket: it is not lost for an address that has no room.
  static_cast<void>(sender.set(message.sender));
  if (out_port) out_port->set(port_of(message.sender));
  size.set(message.size);
  out_flags.set(message.flags);
  return {};
}

}  // namespace

Result<void> sock_recv_from(Call& call, Fd fd, Address iovs, Size count, Address address,
                            std::uint32_t flags, Address port, Address received,
                            Address flags_out) {
  return receive_from(call, fd, iovs, count, address, flags, port, received, flags_out);
}

Result<void> sock_recv_from_v1(Call& call, Fd fd, Address iovs, Size count, Address address,
                               std::uint32_t flags, Address received, Address flags_out) {
  return receive_from(call, fd, iovs, count, address, flags, std::nullopt, received, flags_out);
}

Result<void> sock_send_to(Call& call, Fd fd, Address iovs, Size count, Address address,
                          std::uint32_t port, std::uint32_t flags, Address sent) {
  const DescriptorRef socket = TRY(get_socket(call, fd, rights::kFdWrite));
  const auto size = TRY(call.out<Size>(sent));
  if (flags != 0) return fail(Errno::Inval);
  const SocketAddress to = TRY(read_address(call, address, port));
  TRY(check_policy(call, SocketUse::Connect, *socket, to));
  std::optional<UnixAddress> place;
  if (to.family == AF_UNIX) place = TRY(UnixAddress::to_reach(call.descriptors(), to.path));
  GuestIovecs buffers;
  TRY(buffers.read(call, iovs, count));
  msghdr message = message_of(buffers);
  // sendmsg(2) does not write there.
  message.msg_name = const_cast<sockaddr*>(place ? place->host() : to.host());
  message.msg_namelen = place ? place->host_size() : to.host_size();
  const ssize_t put = ::sendmsg(socket->fd.get(), &message, MSG_NOSIGNAL);
  if (put < 0) return fail_from_host();
  size.set(static_cast<Size>(put));
  return {};
}

}  // namespace engine::wasi
