// Events to containerd (docs/formats/ttrpc.md, service Events): one queue, one sender, so that they
// arrive in their order; a daemon that is away is waited for.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include "shim/loop/loop.hpp"
#include "shim/loop/timer.hpp"
#include "shim/protocol/codec.hpp"
#include "shim/protocol/events.hpp"
#include "shim/ttrpc/client.hpp"

namespace shim::events {

/// How long the daemon may take for its answer before another connection is tried.
inline constexpr std::chrono::milliseconds kAnswerPatience{5000};

/// When the queue is full, the oldest goes: a daemon that stays away so long asks for states.
inline constexpr std::size_t kMaxQueued = 16384;

class Publisher {
 public:
  /// `address` of containerd's ttrpc socket; empty: events go nowhere.
  Publisher(loop::Loop& loop, std::string address, std::string name_space,
            std::chrono::milliseconds patience = kAnswerPatience)
      : loop_(loop),
        address_(std::move(address)),
        name_space_(std::move(name_space)),
        patience_(patience),
        timer_(loop, [this] { on_timer(); }) {}
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  /// With the present time. Returns at once.
  template <typename Event>
  void publish(const Event& event) {
    enqueue(Event::kTopic, protocol::pack(event));
  }

  /// The daemon has shown itself: another attempt is made now.
  void hurry();

  /// Waits until all is delivered, at most this long, and no attempt to reconnect: for the exit.
  void flush(int milliseconds);

  std::size_t queued() const { return queue_.size(); }

 private:
  /// Where the first of the queue is.
  enum class Sending : std::uint8_t { Here, Sent, WaitsForAnotherAttempt };

  void enqueue(std::string topic, protocol::Any event);
  void send_first();
  void on_socket(std::uint32_t events);
  void on_timer();
  void disconnect_and_wait();

  loop::Loop& loop_;
  std::string address_;
  std::string name_space_;
  std::deque<std::string> queue_;  ///< encoded ForwardRequests
  std::optional<ttrpc::Client> client_;
  Sending sending_ = Sending::Here;
  std::chrono::milliseconds patience_;
  loop::Timer timer_;  ///< of an answer, or of the next attempt
  int failures_ = 0;
};

}  // namespace shim::events
