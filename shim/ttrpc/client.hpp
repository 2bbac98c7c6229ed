// The client's side of one ttrpc connection, for unary calls: a state machine over a non-blocking
// socket that somebody else polls. When it fails, its owner makes another one.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "shim/ttrpc/envelope.hpp"
#include "shim/ttrpc/frame.hpp"

namespace shim::ttrpc {

struct Answer {
  std::uint32_t stream_id = 0;
  /// Of Ok, or why the call failed.
  Status status;
  std::string payload;
};

class Client {
 public:
  /// `address` is a path, or "unix://" and a path. Does not block: a socket whose backlog is full
  /// fails with EAGAIN.
  static base::Result<Client> connect(std::string_view address);
  explicit Client(base::UniqueFd socket);

  int fd() const { return socket_.get(); }

  /// Sends a request, or queues it; yields its stream id. LimitExceeded when it is larger than a
  /// frame may be, WrongState when stream ids are used up: reconnect.
  base::Result<std::uint32_t> call(const RequestBody& request);

  /// Answers to calls that were made; others are dropped. An error, also NotFound for the end of
  /// the stream, means that calls without an answer never get one.
  base::Result<std::vector<Answer>> on_readable();
  base::Result<void> on_writable();
  bool wants_write() const { return !writer_.empty(); }

  std::size_t open_calls() const { return open_.size(); }
  /// Bytes that wait to be sent.
  std::size_t unsent() const { return writer_.size(); }

 private:
  base::UniqueFd socket_;
  FrameReader reader_;
  FrameWriter writer_;
  std::set<std::uint32_t> open_;
  std::uint32_t next_stream_ = 1;
};

}  // namespace shim::ttrpc
