// Lists of waiters by address. A waiter is taken out by whoever wakes it, under the bucket's lock,
// so that a notify never counts a thread twice.
#include "engine/execution/wait_queue.hpp"

#include <algorithm>
#include <chrono>

namespace engine::execution {
namespace {

/// So far away that adding it to the present overflows nothing.
constexpr std::chrono::nanoseconds kLongest = std::chrono::hours(24 * 365 * 100);

}  // namespace

void WaitQueue::Bucket::append(Waiter& waiter) {
  waiter.previous = last;
  (last == nullptr ? first : last->next) = &waiter;
  last = &waiter;
}

void WaitQueue::Bucket::remove(Waiter& waiter) {
  (waiter.previous == nullptr ? first : waiter.previous->next) = waiter.next;
  (waiter.next == nullptr ? last : waiter.next->previous) = waiter.previous;
}

WaitQueue::Outcome WaitQueue::wait(std::uint64_t at, const std::function<bool()>& is_expected,
                                   std::int64_t timeout) {
  const auto length = std::min(std::chrono::nanoseconds(timeout), kLongest);
  const auto end = std::chrono::steady_clock::now() + length;
  Bucket& bucket = bucket_of(at);
  std::unique_lock lock(bucket.mutex);
  if (!is_expected()) return Outcome::NotEqual;
  Waiter waiter{.at = at};
  bucket.append(waiter);
  const auto is_woken = [&waiter] { return waiter.woken; };
  if (timeout < 0) {
    waiter.wake.wait(lock, is_woken);
  } else if (!waiter.wake.wait_until(lock, end, is_woken)) {
    bucket.remove(waiter);
    return Outcome::TimedOut;
  }
  return Outcome::Woken;
}

std::uint32_t WaitQueue::notify(std::uint64_t at, std::uint32_t count) {
  Bucket& bucket = bucket_of(at);
  const std::lock_guard lock(bucket.mutex);
  std::uint32_t woken = 0;
  for (Waiter* waiter = bucket.first; waiter != nullptr && woken < count;) {
    Waiter* const next = waiter->next;
    if (waiter->at == at) {
      bucket.remove(*waiter);
      waiter->woken = true;
      // Under the lock: as soon as that is free, the waiter may be gone.
      waiter->wake.notify_one();
      ++woken;
    }
    waiter = next;
  }
  return woken;
}

}  // namespace engine::execution
