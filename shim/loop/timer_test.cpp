#include "shim/loop/timer.hpp"

#include <gtest/gtest.h>

namespace shim::loop {
namespace {

using std::chrono::milliseconds;

TEST(Timer, FiresOnceAndOnlyWhatWasArmedLast) {
  Loop loop = Loop::make().value();
  std::string fired;
  Timer replaced(loop, [&] { fired += "replaced "; });
  Timer disarmed(loop, [&] { fired += "disarmed "; });
  Timer last(loop, [&] { loop.stop(); });
  ASSERT_TRUE(replaced.arm(milliseconds(5000)));
  ASSERT_TRUE(replaced.arm(milliseconds(5)));
  ASSERT_TRUE(disarmed.arm(milliseconds(5)));
  ASSERT_TRUE(last.arm(milliseconds(60)));
  disarmed.disarm();
  EXPECT_FALSE(disarmed.is_armed());
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(fired, "replaced ");
  EXPECT_FALSE(replaced.is_armed());
}

TEST(Timer, MayArmItselfAgainWhileItFires) {
  Loop loop = Loop::make().value();
  int count = 0;
  Timer timer(loop, [&] {
    if (++count == 3) return loop.stop();
    EXPECT_TRUE(timer.arm(milliseconds(0)));
  });
  ASSERT_TRUE(timer.arm(milliseconds(0)));
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(count, 3);
}

}  // namespace
}  // namespace shim::loop
