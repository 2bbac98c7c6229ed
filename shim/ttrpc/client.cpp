#include "shim/ttrpc/client.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

namespace shim::ttrpc {

Client::Client(base::UniqueFd socket) : socket_(std::move(socket)) {}

base::Result<Client> Client::connect(std::string_view address) {
  constexpr std::string_view kScheme = "unix://";
  if (address.starts_with(kScheme)) address.remove_prefix(kScheme.size());
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address.empty() || address.size() >= sizeof(name.sun_path)) {
    return base::fail(base::ErrorKind::Invalid, "not a socket's address: " + std::string(address));
  }
  std::memcpy(name.sun_path, address.data(), address.size());
  base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return base::fail_errno("socket");
  // Safety: the sockets API takes every kind of address as a sockaddr.
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) != 0) {
    return base::fail_errno("connect", address);
  }
  return Client(std::move(socket));
}

base::Result<std::uint32_t> Client::call(const RequestBody& request) {
  if (next_stream_ > INT32_MAX) {
    return base::fail(base::ErrorKind::WrongState, "stream ids are used up");
  }
  const std::string data = encode_request(request);
  if (data.size() > kMaxData) {
    return base::fail(base::ErrorKind::LimitExceeded, "request larger than a frame");
  }
  const std::uint32_t stream_id = std::exchange(next_stream_, next_stream_ + 2);
  writer_.push(FrameType::Request, stream_id, 0, data);
  open_.insert(stream_id);
  TRY(writer_.write_to(socket_.get()));
  return stream_id;
}

base::Result<std::vector<Answer>> Client::on_readable() {
  std::vector<Answer> answers;
  std::array<std::byte, std::size_t{4} << 10> buffer;
  while (true) {
    const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return answers;
      return base::fail_errno("recv");
    }
    if (count == 0) {
      // Answers that came before the end are delivered first; the next call reports the end.
      if (!answers.empty()) return answers;
      return base::fail(base::ErrorKind::NotFound, "the peer has closed the connection");
    }
    std::span<const std::byte> bytes(buffer.data(), static_cast<std::size_t>(count));
    while (reader_.feed(bytes)) {
      const Frame frame = reader_.take();
      const bool response = frame.header.type == static_cast<std::uint8_t>(FrameType::Response);
      if (!response || open_.erase(frame.header.stream_id) == 0) continue;
      Answer answer{frame.header.stream_id, {}, {}};
      if (frame.oversized()) {
        answer.status = {Code::ResourceExhausted, "answer larger than a frame may be"};
      } else {
        ResponseBody body = TRY(decode_response(frame.data));
        answer.status = std::move(body.status);
        answer.payload = std::move(body.payload);
      }
      answers.push_back(std::move(answer));
    }
  }
}

base::Result<void> Client::on_writable() { return writer_.write_to(socket_.get()); }

}  // namespace shim::ttrpc
