#include <gtest/gtest.h>
#include <signal.h>

#include "runtime/container/container.hpp"

namespace runtime::container {
namespace {

TEST(ParseSignal, NamesAndNumbersInAnyForm) {
  EXPECT_EQ(parse_signal("9").value_or(-1), SIGKILL);
  EXPECT_EQ(parse_signal("KILL").value_or(-1), SIGKILL);
  EXPECT_EQ(parse_signal("sigterm").value_or(-1), SIGTERM);
  EXPECT_EQ(parse_signal("RTMIN+3").value_or(-1), SIGRTMIN + 3);
  EXPECT_EQ(parse_signal("SIGRTMAX-2").value_or(-1), SIGRTMAX - 2);
}

TEST(ParseSignal, OthersAreUnknown) {
  for (const char* text : {"", "SIG", "9x", "-1", "65", "RTMIN-1", "RTMAX+1", "NOPE"}) {
    const auto parsed = parse_signal(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().message(), "unknown signal \"" + std::string(text) + "\"");
  }
}

}  // namespace
}  // namespace runtime::container
