#include "runtime/cli/quantity.hpp"

#include <gtest/gtest.h>

namespace runtime::cli {
namespace {

TEST(Quantity, DurationsHaveUnits) {
  EXPECT_EQ(parse_duration("500ms", "interval")->count(), 500);
  EXPECT_EQ(parse_duration("720h", "interval")->count(), 720LL * 3'600'000);
  for (const char* bad : {"", "5", "0s", "-1s", "1.5s", "s", "1d", "99999999999999999999h"}) {
    const auto parsed = parse_duration(bad, "interval");
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().message(),
              "invalid duration \"" + std::string(bad) + "\" for -interval");
  }
}

TEST(Quantity, SizesArePowersOf1024AndDoNotOverflow) {
  EXPECT_EQ(parse_size("0", "max-size"), 0U);
  EXPECT_EQ(parse_size("4g", "max-size"), std::uint64_t{4} << 30);
  EXPECT_EQ(parse_size("3K", "max-size"), 3072U);
  for (const char* bad : {"", "g", "-1", "1kb", "17179869184g"}) {
    EXPECT_FALSE(parse_size(bad, "max-size")) << bad;
  }
}

}  // namespace
}  // namespace runtime::cli
