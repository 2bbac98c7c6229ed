#include "shim/ttrpc/connection.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <span>
#include <utility>

namespace shim::ttrpc {

Connection::Connection(base::UniqueFd socket, const ConnectionLimits& limits)
    : socket_(std::move(socket)), limits_(limits) {}

base::Result<std::vector<Request>> Connection::on_readable() {
  std::vector<Request> requests;
  std::array<std::byte, std::size_t{16} << 10> buffer;
  for (std::size_t taken = 0; taken < limits_.read_at_once && wants_read();) {
    const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      return base::fail_errno("recv");
    }
    if (count == 0) {
      // What is left of a frame can never become whole; requests before it are still answered.
      peer_closed_ = true;
      break;
    }
    taken += static_cast<std::size_t>(count);
    std::span<const std::byte> bytes(buffer.data(), static_cast<std::size_t>(count));
    while (reader_.feed(bytes)) TRY(take_frame(reader_.take(), requests));
  }
  return requests;
}

base::Result<void> Connection::on_writable() { return writer_.write_to(socket_.get()); }

bool Connection::wants_read() const { return !peer_closed_ && writer_.size() <= limits_.unsent; }

base::Result<void> Connection::respond(std::uint32_t stream_id, std::string_view payload) {
  if (open_.erase(stream_id) == 0) return {};
  return send_response(stream_id, {}, payload);
}

base::Result<void> Connection::respond(std::uint32_t stream_id, const Status& status) {
  if (open_.erase(stream_id) == 0) return {};
  return send_response(stream_id, status, {});
}

base::Result<void> Connection::take_frame(Frame frame, std::vector<Request>& requests) {
  const FrameHeader& header = frame.header;
  switch (static_cast<FrameType>(header.type)) {
    case FrameType::Request:
      return take_request(frame, requests);
    case FrameType::Data:
      // No method here streams, so no stream takes data.
      return send_response(header.stream_id,
                           {Code::InvalidArgument, "StreamID is no longer active"}, {});
    case FrameType::Response:
      break;
  }
  return {};  // types that a later version may add are no error
}

base::Result<void> Connection::take_request(const Frame& frame, std::vector<Request>& requests) {
  const std::uint32_t stream_id = frame.header.stream_id;
  const auto refuse = [&](Code code, std::string why) {
    return send_response(stream_id, {code, std::move(why)}, {});
  };
  if (stream_id % 2 == 0) {
    return refuse(Code::InvalidArgument, "StreamID must be odd for client initiated streams");
  }
  if (stream_id <= last_stream_) {
    return refuse(Code::InvalidArgument, "StreamID cannot be re-used and must increment");
  }
  last_stream_ = stream_id;
  if (frame.oversized()) {
    return refuse(Code::ResourceExhausted, "message length " + std::to_string(frame.header.length) +
                                               " exceeds the limit of " + std::to_string(kMaxData));
  }
  if ((frame.header.flags & kRemoteOpen) != 0) {
    return refuse(Code::Unimplemented, "streaming calls are not supported");
  }
  if (open_.size() >= limits_.open_streams) {
    return refuse(Code::ResourceExhausted, "too many open streams");
  }
  auto body = decode_request(frame.data);
  if (!body) {
    const Status status = protocol::status_of(body.error());
    return refuse(status.code, "ttrpc request: " + status.message);
  }
  open_.insert(stream_id);
  requests.push_back({stream_id, *std::move(body)});
  return {};
}

base::Result<void> Connection::send_response(std::uint32_t stream_id, const Status& status,
                                             std::string_view payload) {
  std::string data = encode_response(status, payload);
  if (data.size() > kMaxData) {
    data = encode_response({Code::ResourceExhausted, "answer too large"}, {});
  }
  writer_.push(FrameType::Response, stream_id, 0, data);
  TRY(writer_.write_to(socket_.get()));
  if (writer_.size() > limits_.unsent_hard) {
    return base::fail(base::ErrorKind::LimitExceeded, "peer does not read its answers");
  }
  return {};
}

}  // namespace shim::ttrpc
