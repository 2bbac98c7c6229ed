// The socket between the runtime and the process that becomes a container:
// docs/formats/sync-messages.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace runtime::process {

enum class MessageType : std::uint32_t {
  Proceed = 1,
  Cloned,
  Hooks,
  Terminal,
  Listener,
  Limits,
  Ready,
  Error,
  Source,
};

struct Message {
  MessageType type = MessageType::Proceed;
  std::string body;
  base::UniqueFd descriptor;
};

/// The body of an error, and back; what cannot be decoded becomes an Internal error.
std::string encode_error(const base::Error& error);
base::Error decode_error(std::string_view bytes);

/// One end.
class Channel {
 public:
  static base::Result<std::pair<Channel, Channel>> make();

  Channel() = default;
  explicit Channel(base::UniqueFd socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }
  /// Gives the end another, higher number.
  base::Result<void> move_above(int floor);
  void close() { socket_.reset(); }

  /// Raises no SIGPIPE.
  base::Result<void> send(MessageType type, std::string_view body = {}, int descriptor = -1) const;
  /// ECONNRESET when the other side has closed (or is dead).
  base::Result<Message> receive() const;
  /// A message of this type, or the error that the other side sent.
  base::Result<Message> expect(MessageType type) const;
  /// Sends and waits for the answer.
  base::Result<void> ask(MessageType type, int descriptor = -1) const;

 private:
  base::UniqueFd socket_;
};

}  // namespace runtime::process
