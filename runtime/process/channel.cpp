#include "runtime/process/channel.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "base/byte_reader.hpp"

namespace runtime::process {
namespace {

constexpr std::size_t kMaxPacket = 16384;
constexpr std::size_t kMaxString = 4096;

void append(std::string& out, std::uint32_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));  // Safety: plain bytes
}

void append(std::string& out, std::string_view text) {
  const std::string_view part = text.substr(0, kMaxString);
  if (out.size() + sizeof(std::uint32_t) + part.size() > kMaxPacket - sizeof(std::uint32_t)) return;
  append(out, static_cast<std::uint32_t>(part.size()));
  out += part;
}

std::string read_string(base::ByteReader& reader) {
  const auto length = reader.value<std::uint32_t>();
  if (!length) return {};
  const auto bytes = reader.take(*length);
  if (!bytes) return {};
  // Safety: any bytes may be read as char.
  return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

}  // namespace

std::string encode_error(const base::Error& error) {
  std::string out;
  append(out, static_cast<std::uint32_t>(error.kind()));
  append(out, static_cast<std::uint32_t>(error.sys_errno()));
  append(out, error.call());
  append(out, error.subject());
  std::string text = error.message();
  std::size_t prefix = 0;
  const std::vector<std::string> steps = error.steps();
  for (const std::string& step : steps) prefix += step.size() + 2;
  append(out, std::string_view(text).substr(std::min(prefix, text.size())));
  for (const std::string& step : steps) append(out, step);
  return out;
}

base::Error decode_error(std::string_view text) {
  base::ByteReader reader(std::as_bytes(std::span(text)));
  const auto kind = reader.value<std::uint32_t>();
  const auto sys_errno = reader.value<std::uint32_t>();
  if (!kind || !sys_errno || *kind > static_cast<std::uint32_t>(base::ErrorKind::Internal)) {
    return {base::ErrorKind::Internal, "container init failed without a reason"};
  }
  const std::string call = read_string(reader);
  const std::string subject = read_string(reader);
  std::string reason = read_string(reader);
  base::Error out = *sys_errno != 0 ? base::Error(call, subject, static_cast<int>(*sys_errno))
                                    : base::Error(static_cast<base::ErrorKind>(*kind), reason);
  out.set_kind(static_cast<base::ErrorKind>(*kind));
  std::vector<std::string> steps;
  while (!reader.at_end()) {
    const std::size_t before = reader.offset();
    steps.push_back(read_string(reader));
    if (reader.offset() == before) break;
  }
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) out.add_context(*step);
  return out;
}

base::Result<std::pair<Channel, Channel>> Channel::make() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return base::fail_errno("socketpair");
  }
  return std::pair{Channel(base::UniqueFd(ends[0])), Channel(base::UniqueFd(ends[1]))};
}

base::Result<void> Channel::move_above(int floor) {
  if (socket_.get() >= floor) return {};
  base::UniqueFd moved(::fcntl(socket_.get(), F_DUPFD_CLOEXEC, floor));
  if (!moved) return base::fail_errno("fcntl(F_DUPFD_CLOEXEC)");
  socket_ = std::move(moved);
  return {};
}

base::Result<void> Channel::send(MessageType type, std::string_view body, int descriptor) const {
  auto number = static_cast<std::uint32_t>(type);
  std::array<iovec, 2> parts{iovec{&number, sizeof(number)},
                             iovec{const_cast<char*>(body.data()), body.size()}};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = parts.data();
  header.msg_iovlen = body.empty() ? 1 : 2;
  if (descriptor >= 0) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* first = CMSG_FIRSTHDR(&header);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(first), &descriptor, sizeof(int));
  }
  while (::sendmsg(socket_.get(), &header, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return base::fail_errno("sendmsg", "sync socket");
  }
  return {};
}

base::Result<Message> Channel::receive() const {
  std::array<char, kMaxPacket> bytes;
  iovec part{bytes.data(), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t got = 0;
  while ((got = ::recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC)) < 0) {
    if (errno == ECONNRESET) break;
    if (errno != EINTR) return base::fail_errno("recvmsg", "sync socket");
  }
  Message out;
  for (cmsghdr* each = CMSG_FIRSTHDR(&header); each != nullptr; each = CMSG_NXTHDR(&header, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(each), sizeof(int));
    out.descriptor.reset(descriptor);
  }
  if (got <= 0) {
    errno = ECONNRESET;
    return base::fail_errno("recvmsg", "sync socket");
  }
  if (static_cast<std::size_t>(got) < sizeof(std::uint32_t)) {
    return base::fail(base::ErrorKind::Internal, "short message on the sync socket");
  }
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof(number));
  out.type = static_cast<MessageType>(number);
  out.body.assign(bytes.data() + sizeof(number), static_cast<std::size_t>(got) - sizeof(number));
  return out;
}

base::Result<Message> Channel::expect(MessageType type) const {
  Message message = TRY(receive());
  if (message.type == MessageType::Error) return std::unexpected(decode_error(message.body));
  if (message.type != type) {
    return base::fail(base::ErrorKind::Internal, "unexpected message on the sync socket");
  }
  return message;
}

base::Result<void> Channel::ask(MessageType type, int descriptor) const {
  TRY(send(type, {}, descriptor));
  TRY(expect(MessageType::Proceed));
  return {};
}

}  // namespace runtime::process
