#include "runtime/checkpoint/stdio.hpp"

#include <gtest/gtest.h>

namespace runtime::checkpoint {
namespace {

TEST(Stdio, AFileIsNamedByMountAndInode) {
  const std::vector<std::string> keys = describe_stdio();

  ASSERT_EQ(keys.size(), 3U);
  for (const std::string& key : keys) EXPECT_FALSE(key.starts_with('/')) << key;
}

TEST(Stdio, PipesAndFilesAreBoundAgain) {
  EXPECT_TRUE(is_inheritable("pipe:[1]"));
  EXPECT_TRUE(is_inheritable("file[1f:2a]"));
  EXPECT_FALSE(is_inheritable("socket:[1]"));
  EXPECT_FALSE(is_external_file("pipe:[1]"));
}

TEST(Descriptors, ComeBackAsTheyWereWritten) {
  const std::vector<std::string> keys{"pipe:[1]", "", "file[1:2]"};

  const auto again = parse_descriptors(to_json(keys));

  ASSERT_TRUE(again);
  EXPECT_EQ(*again, keys);
}

TEST(Descriptors, OtherDocumentsAreRefused) {
  EXPECT_FALSE(parse_descriptors("{}"));
  EXPECT_FALSE(parse_descriptors("[1]"));
  EXPECT_FALSE(parse_descriptors("[\"a\""));
  EXPECT_FALSE(parse_descriptors(to_json(std::vector<std::string>(65))));
}

}  // namespace
}  // namespace runtime::checkpoint
