// The server's side of one ttrpc connection: a state machine over a non-blocking socket that
// somebody else polls. It answers protocol errors itself and yields whole requests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "shim/ttrpc/envelope.hpp"
#include "shim/ttrpc/frame.hpp"

namespace shim::ttrpc {

struct Request {
  std::uint32_t stream_id = 0;
  RequestBody body;
};

struct ConnectionLimits {
  /// Requests without an answer; more are answered ResourceExhausted.
  std::size_t open_streams = 4096;
  /// Bytes of answers that the peer has not read: above it, no further request is read.
  std::size_t unsent = std::size_t{1} << 20;
  /// Above it, the connection fails.
  std::size_t unsent_hard = std::size_t{64} << 20;
  /// Bytes that one on_readable() takes, so that no peer keeps the loop to itself.
  std::size_t read_at_once = std::size_t{256} << 10;
};

class Connection {
 public:
  /// `socket` is a connected stream socket, blocking or not.
  explicit Connection(base::UniqueFd socket, const ConnectionLimits& limits = {});

  int fd() const { return socket_.get(); }

  /// Reads what is there. An error means that the connection is of no more use.
  base::Result<std::vector<Request>> on_readable();
  base::Result<void> on_writable();

  /// False at the end of the peer's stream, and while it leaves answers unread.
  bool wants_read() const;
  bool wants_write() const { return !writer_.empty(); }
  /// The peer sends no more and has got every answer.
  bool is_finished() const { return peer_closed_ && open_.empty() && writer_.empty(); }

  /// Answers one request: the encoded message, or how it failed. In any order. Writes at once what
  /// the socket takes. Without effect when the stream is not open: an answer is given only once.
  base::Result<void> respond(std::uint32_t stream_id, std::string_view payload);
  base::Result<void> respond(std::uint32_t stream_id, const Status& status);

 private:
  base::Result<void> take_frame(Frame frame, std::vector<Request>& requests);
  base::Result<void> take_request(const Frame& frame, std::vector<Request>& requests);
  base::Result<void> send_response(std::uint32_t stream_id, const Status& status,
                                   std::string_view payload);

  base::UniqueFd socket_;
  ConnectionLimits limits_;
  FrameReader reader_;
  FrameWriter writer_;
  std::set<std::uint32_t> open_;  // streams with a request and no answer
  std::uint32_t last_stream_ = 0;
  bool peer_closed_ = false;
};

}  // namespace shim::ttrpc
