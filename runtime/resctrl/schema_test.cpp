#include "runtime/resctrl/schema.hpp"

#include <gtest/gtest.h>

namespace runtime::resctrl {
namespace {

constexpr const char* kSchemata = "    MB:0=100;1= 70\n    L3:0=007f0;1=fffff\n";

TEST(IsInForce, NumbersCountAndNotTheirLook) {
  EXPECT_TRUE(is_in_force("L3:0=7f0;1=fffff", kSchemata));
  EXPECT_TRUE(is_in_force("L3: 1 = FFFFF ; 0=0x7f0", kSchemata));
  EXPECT_TRUE(is_in_force("MB:0=100;1=70", kSchemata));
}

TEST(IsInForce, DomainsThatAreNotNamedDoNotCount) {
  EXPECT_TRUE(is_in_force("L3:1=fffff", kSchemata));
  EXPECT_FALSE(is_in_force("L3:2=fffff", kSchemata));
}

TEST(IsInForce, AnotherValueOrResourceIsNot) {
  EXPECT_FALSE(is_in_force("L3:0=7f1", kSchemata));
  EXPECT_FALSE(is_in_force("MB:0=10", kSchemata));
  EXPECT_FALSE(is_in_force("L2:0=f", kSchemata));
  EXPECT_FALSE(is_in_force("L3:0=7f0", ""));
}

TEST(IsInForce, WhatIsNoSchemaIsNever) {
  for (const char* wanted : {"", "L3", "L3:0", "L3:0=", "L3:x=f", "L3:0=xyz", "MB:0=f"}) {
    EXPECT_FALSE(is_in_force(wanted, kSchemata)) << wanted;
  }
}

}  // namespace
}  // namespace runtime::resctrl
