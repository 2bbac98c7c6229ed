#include "engine/wasi/socket.hpp"

#include "base/result.hpp"

namespace engine::wasi {
namespace {

constexpr std::uint32_t kRecvPeek = 1;
constexpr std::uint32_t kRecvWaitall = 2;
constexpr std::uint16_t kRecvDataTruncated = 1;

}  // namespace

Result<DescriptorRef> get_socket(const Call& call, Fd fd, Rights needed) {
  DescriptorRef socket = TRY(call.descriptors().get(fd));
  if (!is_socket(socket->filetype)) return fail(Errno::NotSock);
  if ((socket->base & needed) != needed) return fail(Errno::NotCapable);
  return socket;
}

DescriptorRef socket_descriptor(base::UniqueFd fd, Filetype type) {
  auto out = std::make_shared<Descriptor>();
  out->fd = std::move(fd);
  out->filetype = type;
  out->base = rights::kSocket;
  return out;
}

msghdr message_of(GuestIovecs& buffers) {
  msghdr out{};
  out.msg_iov = buffers.data();
  out.msg_iovlen = static_cast<std::size_t>(buffers.size());
  return out;
}

Result<int> host_receive_flags(std::uint32_t flags) {
  if ((flags & ~(kRecvPeek | kRecvWaitall)) != 0) return fail(Errno::Inval);
  return ((flags & kRecvPeek) != 0 ? MSG_PEEK : 0) |
         ((flags & kRecvWaitall) != 0 ? MSG_WAITALL : 0);
}

std::uint16_t guest_receive_flags(int flags) {
  return (flags & MSG_TRUNC) != 0 ? kRecvDataTruncated : std::uint16_t{0};
}

Result<SocketAddress> local_address(const Call& call, const DescriptorRef& socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  // Safety: getsockname(2)'s own idiom.
  if (::getsockname(socket->fd.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return fail_from_host();
  }
  SocketAddress out = SocketAddress::of(storage, size);
  if (out.family == AF_UNIX) out.path = call.descriptors().socket_path(socket);
  return out;
}

}  // namespace engine::wasi
