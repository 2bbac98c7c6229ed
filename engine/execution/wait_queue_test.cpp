#include "engine/execution/wait_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace engine::execution {
namespace {

using Outcome = WaitQueue::Outcome;

const auto kYes = [] { return true; };

/// Notifies until as many as asked for were woken: threads take a while to begin to wait.
void wake(WaitQueue& queue, std::uint64_t at, std::uint32_t count) {
  for (std::uint32_t woken = 0; woken < count;) woken += queue.notify(at, count - woken);
}

TEST(WaitQueue, AValueThatIsNotExpectedIsNotWaitedFor) {
  WaitQueue queue;
  EXPECT_EQ(queue.wait(8, [] { return false; }, -1), Outcome::NotEqual);
}

TEST(WaitQueue, ATimeoutEndsTheWaitAndLeavesNobodyBehind) {
  WaitQueue queue;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(queue.wait(8, kYes, 20'000'000), Outcome::TimedOut);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(20));
  EXPECT_EQ(queue.wait(8, kYes, 0), Outcome::TimedOut);
  EXPECT_EQ(queue.notify(8, 1), 0U);
}

TEST(WaitQueue, NobodyIsWokenWhereNobodyWaits) {
  WaitQueue queue;
  EXPECT_EQ(queue.notify(0, 0xffffffff), 0U);
}

TEST(WaitQueue, OnlyWaitersAtTheAddressAreWoken) {
  WaitQueue queue;
  // 64 buckets of 4 bytes: both are in the same one.
  constexpr std::uint64_t kHere = 16;
  constexpr std::uint64_t kElsewhere = kHere + 64 * 4;
  std::atomic<bool> here = false;
  std::atomic<bool> elsewhere = false;
  std::thread first([&] { here = queue.wait(kHere, kYes, -1) == Outcome::Woken; });
  std::thread second([&] { elsewhere = queue.wait(kElsewhere, kYes, -1) == Outcome::Woken; });
  wake(queue, kHere, 1);
  first.join();
  EXPECT_TRUE(here);
  EXPECT_FALSE(elsewhere);
  wake(queue, kElsewhere, 1);
  second.join();
  EXPECT_TRUE(elsewhere);
}

TEST(WaitQueue, WaitersAreWokenInTheOrderInWhichTheyCame) {
  WaitQueue queue;
  constexpr int kThreads = 8;
  std::atomic<int> waiting = 0;
  std::atomic<int> turn = 0;
  std::vector<int> order;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      // is_expected runs under the queue's lock: counted there means queued in this order.
      queue.wait(
          8,
          [&] {
            ++waiting;
            return true;
          },
          -1);
      order.push_back(i);
      ++turn;
    });
    while (waiting != i + 1) std::this_thread::yield();
  }
  for (int i = 0; i < kThreads; ++i) {
    EXPECT_EQ(queue.notify(8, 1), 1U);
    while (turn != i + 1) std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kThreads; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(WaitQueue, ANotifyThatRacesWithTheWaitIsNeverLost) {
  WaitQueue queue;
  std::atomic<std::uint32_t> value = 0;
  constexpr std::uint32_t kRounds = 20'000;
  std::thread consumer([&] {
    for (std::uint32_t i = 0; i < kRounds; ++i) {
      while (value == i) queue.wait(8, [&] { return value == i; }, -1);
    }
  });
  for (std::uint32_t i = 0; i < kRounds; ++i) {
    ++value;
    queue.notify(8, 1);
  }
  consumer.join();
  EXPECT_EQ(value, kRounds);
}

}  // namespace
}  // namespace engine::execution
