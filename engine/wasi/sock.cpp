// sock_*: the four calls of preview 1, on sockets that the guest was given or has accepted.
#include <sys/socket.h>

#include "base/result.hpp"
#include "engine/wasi/fd_flags.hpp"
#include "engine/wasi/functions.hpp"
#include "engine/wasi/guest_iovecs.hpp"

namespace engine::wasi {
namespace {

constexpr std::uint32_t kRecvPeek = 1;
constexpr std::uint32_t kRecvWaitall = 2;
constexpr std::uint16_t kRecvDataTruncated = 1;

Result<DescriptorRef> get_socket(const Call& call, Fd fd, Rights needed) {
  DescriptorRef socket = TRY(call.descriptors().get(fd));
  if (socket->filetype != Filetype::SocketStream && socket->filetype != Filetype::SocketDgram) {
    return fail(Errno::NotSock);
  }
  if ((socket->base & needed) != needed) return fail(Errno::NotCapable);
  return socket;
}

msghdr message_of(GuestIovecs& buffers) {
  msghdr out{};
  out.msg_iov = buffers.data();
  out.msg_iovlen = static_cast<std::size_t>(buffers.size());
  return out;
}

}  // namespace

Result<void> sock_accept(Call& call, Fd fd, std::uint32_t flags, Address accepted) {
  const DescriptorRef listener = TRY(get_socket(call, fd, rights::kSockAccept));
  const auto out = TRY(call.out<Fd>(accepted));
  if ((flags & ~fdflags::kNonblock) != 0) return fail(Errno::Inval);
  const int nonblock = flags != 0 ? SOCK_NONBLOCK : 0;
  base::UniqueFd host(::accept4(listener->fd.get(), nullptr, nullptr, SOCK_CLOEXEC | nonblock));
  if (!host) return fail_from_host();
  Descriptor socket = TRY(describe(std::move(host), rights::kAll, 0));
  out.set(TRY(call.descriptors().add(std::move(socket))));
  return {};
}

Result<void> sock_recv(Call& call, Fd fd, Address iovs, Size count, std::uint32_t flags,
                       Address received, Address flags_out) {
  const DescriptorRef socket = TRY(get_socket(call, fd, rights::kFdRead));
  const auto size = TRY(call.out<Size>(received));
  const auto out_flags = TRY(call.out<std::uint16_t>(flags_out));
  if ((flags & ~(kRecvPeek | kRecvWaitall)) != 0) return fail(Errno::Inval);
  GuestIovecs buffers;
  TRY(buffers.read(call, iovs, count));
  msghdr message = message_of(buffers);
  const int host_flags =
      ((flags & kRecvPeek) != 0 ? MSG_PEEK : 0) | ((flags & kRecvWaitall) != 0 ? MSG_WAITALL : 0);
  const ssize_t got = ::recvmsg(socket->fd.get(), &message, host_flags);
  if (got < 0) return fail_from_host();
  size.set(static_cast<Size>(got));
  out_flags.set((message.msg_flags & MSG_TRUNC) != 0 ? kRecvDataTruncated : std::uint16_t{0});
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
