#include "base/mountinfo.hpp"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(ParseMountLine, TakesWhatStandsOnBothSidesOfTheDash) {
  const auto line = parse_mount_line(
      "36 35 0:30 /docker /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->root, "/docker");
  EXPECT_EQ(line->mount_point, "/sys/fs/cgroup/memory");
  EXPECT_EQ(line->type, "cgroup");
  EXPECT_EQ(line->super_options, "rw,memory");
}

TEST(ParseMountLine, OptionalFieldsMayBeMissing) {
  const auto line = parse_mount_line("1 2 0:3 / /proc rw - proc proc rw");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->type, "proc");
}

TEST(ParseMountLine, OctalDigitsAreTheCharactersThatTheyStandFor) {
  const auto line = parse_mount_line(R"(1 2 0:3 / /a\040b\134c\04 rw - tmpfs none rw)");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->mount_point, R"(/a b\c\04)");
}

TEST(ParseMountLine, ATruncatedLineIsNone) {
  EXPECT_FALSE(parse_mount_line(""));
  EXPECT_FALSE(parse_mount_line("1 2 0:3 / /proc rw"));
  EXPECT_FALSE(parse_mount_line("1 2 0:3 / - proc proc rw"));
  EXPECT_FALSE(parse_mount_line("1 2 0:3 / /proc rw - proc proc"));
}

}  // namespace
}  // namespace base
