#include "engine/compiler/work_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

#include "base/result.hpp"

namespace engine::compiler {
namespace {

TEST(WorkQueue, RunsWhatTasksAdd) {
  WorkQueue queue;
  std::atomic<int> ran = 0;
  queue.add([&]() -> Result<void> {
    for (int i = 0; i < 5; ++i) {
      queue.add([&]() -> Result<void> {
        ++ran;
        return {};
      });
    }
    ++ran;
    return {};
  });
  ASSERT_TRUE(queue.run(3).has_value());
  EXPECT_EQ(ran, 6);
}

TEST(WorkQueue, AWaitingThreadTakesWhatARunningTaskAdds) {
  WorkQueue queue;
  std::latch both(2);  // ends only if both tasks run at once
  const WorkQueue::Task meet = [&]() -> Result<void> {
    both.arrive_and_wait();
    return {};
  };
  queue.add([&]() -> Result<void> {
    queue.add(meet);
    return meet();
  });
  EXPECT_TRUE(queue.run(2).has_value());
}

TEST(WorkQueue, AfterAFailureNothingMoreBegins) {
  WorkQueue queue;
  bool began = false;
  queue.add([]() -> Result<void> { return fail(ErrorKind::System, "first"); });
  queue.add([&]() -> Result<void> {
    began = true;
    return {};
  });
  const auto result = queue.run(1);
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().message().find("first"), std::string::npos);
  EXPECT_FALSE(began);
}

TEST(WorkQueue, WithoutTasksEndsAtOnce) { EXPECT_TRUE(WorkQueue().run(2).has_value()); }

}  // namespace
}  // namespace engine::compiler
