// Threads that wait at an address of a shared memory until another notifies them
// (memory.atomic.wait and notify of the threads proposal).
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>

namespace engine::execution {

/// One a shared memory; any thread. Allocates nothing: a waiting thread brings its own place in the
/// queue. Waiters at one address are woken in the order in which they came.
class WaitQueue {
 public:
  /// What memory.atomic.wait returns.
  enum class Outcome : std::uint32_t { Woken = 0, NotEqual = 1, TimedOut = 2 };

  WaitQueue() = default;
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;
  ~WaitQueue() = default;

  /// Waits for up to `timeout` nanoseconds, without end when negative, if `is_expected` says that
  /// memory holds what the caller expects. It is asked when no notify at the address can come
  /// between.
  Outcome wait(std::uint64_t at, const std::function<bool()>& is_expected, std::int64_t timeout);

  /// Wakes up to `count` of the threads that wait at the address; how many it were.
  std::uint32_t notify(std::uint64_t at, std::uint32_t count);

 private:
  struct Waiter {
    std::uint64_t at = 0;
    bool woken = false;
    std::condition_variable wake = {};
    Waiter* previous = nullptr;
    Waiter* next = nullptr;
  };

  struct Bucket {
    std::mutex mutex;
    Waiter* first = nullptr;
    Waiter* last = nullptr;

    void append(Waiter& waiter);
    void remove(Waiter& waiter);
  };

  Bucket& bucket_of(std::uint64_t at) { return buckets_[at / 4 % buckets_.size()]; }

  std::array<Bucket, 64> buckets_;
};

}  // namespace engine::execution
