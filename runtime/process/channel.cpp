#include "runtime/process/channel.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "base/byte_reader.hpp"
#include "base/descriptor_passing.hpp"

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
  const auto number = static_cast<std::uint32_t>(type);
  std::string packet(sizeof(number), '\0');
  std::memcpy(packet.data(), &number, sizeof(number));
  packet += body;
  static_cast<void>(
      TRY(base::send_with_descriptor(socket_.get(), packet, descriptor, "sync socket")));
  return {};
}

base::Result<Message> Channel::receive() const {
  std::array<char, kMaxPacket> bytes;
  auto received = TRY(base::receive_with_descriptor(socket_.get(), bytes, "sync socket"));
  if (received.size == 0) return std::unexpected(base::Error("recvmsg", "sync socket", ECONNRESET));
  std::uint32_t number = 0;
  if (received.size < sizeof(number)) {
    return base::fail(base::ErrorKind::Internal, "short message on the sync socket");
  }
  std::memcpy(&number, bytes.data(), sizeof(number));
  Message out;
  out.type = static_cast<MessageType>(number);
  out.body.assign(bytes.data() + sizeof(number), received.size - sizeof(number));
  out.descriptor = std::move(received.descriptor);
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
