// A connection to one D-Bus peer, for calls that wait for their answers: docs/formats/dbus.md.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "runtime/dbus/message.hpp"

namespace runtime::dbus {

using Clock = std::chrono::steady_clock;

/// Where a peer listens.
struct Address {
  std::string path;     ///< of an AF_UNIX stream socket
  bool is_bus = false;  ///< a daemon between, which wants Hello and AddMatch
};

/// The path of a D-Bus address, "unix:path=/run/x[,guid=...][;...]"; empty for other transports.
std::string path_of_address(std::string_view address);

/// Not for several threads at once. Everything ends at the deadline that it was given.
class Connection {
 public:
  /// Connects, authenticates and, on a bus, says Hello and asks for the signals of `sender`.
  static base::Result<Connection> open(const Address& address, const std::string& sender,
                                       Clock::time_point end);

  /// Sends a call and waits for its answer. Signals that come before are kept for wait_for_signal.
  /// An error that the peer answers with is AlreadyExists (UnitExists), NotFound (NoSuchUnit),
  /// Unsupported (UnknownMethod), or Invalid.
  base::Result<Message> call(Message message, Clock::time_point end);
  /// The first signal, kept or new, that `wanted` takes; kept ones before it are forgotten.
  base::Result<Message> wait_for_signal(const std::function<bool(const Message&)>& wanted,
                                        Clock::time_point end);

 private:
  explicit Connection(base::UniqueFd socket) : socket_(std::move(socket)) {}
  base::Result<void> authenticate(Clock::time_point end);
  base::Result<void> enter_bus(const std::string& sender, Clock::time_point end);
  base::Result<void> wait(short events, Clock::time_point end) const;
  base::Result<void> send(std::string_view bytes, Clock::time_point end) const;
  /// Adds what has come to the buffer; waits if there is nothing.
  base::Result<void> fill(Clock::time_point end);
  base::Result<Message> receive(Clock::time_point end);

  base::UniqueFd socket_;
  std::string buffer_;
  std::vector<Message> signals_;
  std::uint32_t serial_ = 0;
};

}  // namespace runtime::dbus
