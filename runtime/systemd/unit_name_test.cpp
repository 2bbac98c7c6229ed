#include "runtime/systemd/unit_name.hpp"

#include <gtest/gtest.h>

namespace runtime::systemd {
namespace {

TEST(UnitName, HasThreeParts) {
  const auto name = parse_unit_name("machine.slice:libpod:4711", "c1", false);
  ASSERT_TRUE(name) << name.error().message();
  EXPECT_EQ(*name, (UnitName{"machine.slice", "libpod-4711.scope"}));
  EXPECT_EQ(cgroup_of(*name).value_or(""), "/machine.slice/libpod-4711.scope");
}

TEST(UnitName, TheIdIsTheDefault) {
  EXPECT_EQ(*parse_unit_name("", "c1", false), (UnitName{"system.slice", "wherry-c1.scope"}));
  EXPECT_EQ(*parse_unit_name("", "c1", true), (UnitName{"user.slice", "wherry-c1.scope"}));
}

TEST(UnitName, WithoutAPrefixThereIsNoDash) {
  EXPECT_EQ(parse_unit_name("a.slice::b", "c1", false)->unit, "b.scope");
}

TEST(UnitName, ANameThatIsASliceStaysOne) {
  const auto name = parse_unit_name("a.slice:prefix:a-b.slice", "c1", false);
  ASSERT_TRUE(name);
  EXPECT_TRUE(name->is_slice());
  EXPECT_EQ(cgroup_of(*name).value_or(""), "/a.slice/a-b.slice");
}

TEST(UnitName, OtherPathsAreRefused) {
  for (const char* path : {"/a/b", "a:b", "a.slice:b:c:d", "a.slice:b:", "a:b:c", "a.slice:b/c:d",
                           "a/b.slice:b:c", "a--b.slice:b:c", "-a.slice:b:c", "a.slice:b:c d"}) {
    EXPECT_FALSE(parse_unit_name(path, "c1", false)) << path;
  }
  EXPECT_FALSE(parse_unit_name(":x:" + std::string(300, 'y'), "c1", false));
}

TEST(ExpandSlice, EachDashIsALevel) {
  EXPECT_EQ(*expand_slice("system.slice"), "/system.slice");
  EXPECT_EQ(*expand_slice("a-b-c.slice"), "/a.slice/a-b.slice/a-b-c.slice");
  EXPECT_EQ(*expand_slice("-.slice"), "");
}

TEST(ExpandSlice, WhatIsNoSliceIsRefused) {
  for (const char* text : {"", "a", ".slice", "a.scope", "a--b.slice", "a-.slice", "../a.slice"}) {
    EXPECT_FALSE(expand_slice(text)) << text;
  }
}

}  // namespace
}  // namespace runtime::systemd
