// A listening socket and its connections behind one descriptor. The owner's loop polls fd() for
// reading and calls ready(); answers are given whenever they are there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "shim/ttrpc/connection.hpp"

namespace shim::ttrpc {

/// Whom an answer goes to. Stays valid, without effect, when the connection is gone.
struct StreamKey {
  std::uint64_t connection = 0;  ///< never used twice
  std::uint32_t stream_id = 0;
  auto operator<=>(const StreamKey&) const = default;
};

/// One request; whoever takes it must answer it once.
struct Call {
  StreamKey from;
  RequestBody request;
};

struct ServerLimits {
  /// Further ones are closed as soon as they are accepted.
  std::size_t connections = 64;
  ConnectionLimits connection;
};

class Server {
 public:
  /// `listener` is a listening Unix socket; it is made non-blocking.
  static base::Result<Server> make(base::UniqueFd listener, const ServerLimits& limits = {});

  /// Readable (EPOLLIN, level-triggered) when ready() has something to do. Never changes.
  int fd() const { return epoll_.get(); }

  /// Does what sockets are ready for, without waiting: accepts peers of our own user and group
  /// (SO_PEERCRED) and closes all others, reads, writes, forgets broken connections. Fails only
  /// when epoll does.
  base::Result<std::vector<Call>> ready();

  /// Without effect when the connection is gone.
  void respond(StreamKey to, std::string_view payload);
  void respond(StreamKey to, const Status& status);

  /// No more connections are accepted; those that are there go on.
  void stop_listening();
  /// All answers given so far have left: the shim may exit.
  bool is_flushed() const;
  /// Blocks, for at most the given time, until is_flushed().
  void flush(int timeout_ms);
  std::size_t connections() const { return connections_.size(); }

 private:
  struct Peer {
    Connection connection;
    std::uint32_t interest;
  };
  using Connections = std::map<std::uint64_t, Peer>;

  Server(base::UniqueFd listener, base::UniqueFd epoll, const ServerLimits& limits);
  void accept_all();
  void serve(std::uint64_t id, std::uint32_t events, std::vector<Call>& calls);
  void update_interest(std::uint64_t id);
  Connections::iterator drop(Connections::iterator at);

  base::UniqueFd listener_;
  base::UniqueFd epoll_;
  ServerLimits limits_;
  Connections connections_;
  std::uint64_t next_id_ = 1;
};

/// The answers to calls for what is not served here.
Status unknown_service(std::string_view service);
Status unknown_method(std::string_view method);

}  // namespace shim::ttrpc
