// sock_accept, sock_recv, sock_send, sock_shutdown: preview 1's own four.
#include "base/result.hpp"
#include "engine/wasi/functions.hpp"
#include "engine/wasi/socket.hpp"

namespace engine::wasi {

namespace {

Result<void> accept_into(const Call& call, Fd fd, int flags, Address accepted) {
  const DescriptorRef listener = TRY(get_socket(call, fd, rights::kSockAccept));
  const auto out = TRY(call.out<Fd>(accepted));
  base::UniqueFd host(::accept4(listener->fd.get(), nullptr, nullptr, SOCK_CLOEXEC | flags));
  if (!host) return fail_from_host();
  DescriptorRef socket = socket_descriptor(std::move(host), Filetype::SocketStream);
  socket->path = call.descriptors().socket_path(listener);
  out.set(TRY(call.descriptors().add(std::move(socket))));
  return {};
}

}  // namespace

Result<void> sock_accept(Call& call, Fd fd, std::uint32_t flags, Address accepted) {
  if ((flags & ~fdflags::kNonblock) != 0) return fail(Errno::Inval);
  return accept_into(call, fd, flags != 0 ? SOCK_NONBLOCK : 0, accepted);
}

Result<void> sock_accept_v1(Call& call, Fd fd, Address accepted) {
  return accept_into(call, fd, 0, accepted);
}

Result<void> sock_recv(Call& call, Fd fd, Address iovs, Size count, std::uint32_t flags,
                       Address received, Address flags_out) {
  const DescriptorRef socket = TRY(get_socket(call, fd, rights::kFdRead));
  const auto size = TRY(call.out<Size>(received));
  const auto out_flags = TRY(call.out<std::uint16_t>(flags_out));
  const int host_flags = TRY(host_receive_flags(flags));
  GuestIovecs buffers;
  TRY(buffers.read(call, iovs, count));
  msghdr message = message_of(buffers);
  const ssize_t got = ::recvmsg(socket->fd.get(), &message, host_flags);
  if (got < 0) return fail_from_host();
  size.set(static_cast<Size>(got));
  out_flags.set(guest_receive_flags(message.msg_flags));
  return {};
}

Result<void> sock_send(Call& call, Fd fd, Address iovs, Size count, std::uint32_t flags,
                       Address sent) {
  const DescriptorRef socket = TRY(get_socket(call, fd, rights::kFdWrite));
  const auto size = TRY(call.out<Size>(sent));
  if (flags != 0) return fail(Errno::Inval);
  GuestIovecs buffers;
  TRY(buffers.read(call, iovs, count));
  const msghdr message = message_of(buffers);
  const ssize_t put = ::sendmsg(socket->fd.get(), &message, MSG_NOSIGNAL);
  if (put < 0) return fail_from_host();
  size.set(static_cast<Size>(put));
  return {};
}

Result<void> sock_shutdown(Call& call, Fd fd, std::uint32_t how) {
  // witx type $sdflags: bit 0 receives, bit 1 sends.
  constexpr int kHow[] = {-1, SHUT_RD, SHUT_WR, SHUT_RDWR};
  const DescriptorRef socket = TRY(get_socket(call, fd, rights::kSockShutdown));
  if (how == 0 || how >= std::size(kHow)) return fail(Errno::Inval);
  if (::shutdown(socket->fd.get(), kHow[how]) != 0) return fail_from_host();
  return {};
}

}  // namespace engine::wasi
