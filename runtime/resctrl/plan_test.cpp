#include "runtime/resctrl/plan.hpp"

#include <gtest/gtest.h>

namespace runtime::resctrl {
namespace {

const Host kHost{"/r", true, true, {}};

TEST(PlanGroups, WithoutANameTheContainerHasAClassOfItsOwn) {
  const auto plan = plan_groups({"", {}, "L3:0=f", "MB:0=20", false}, "c1", kHost);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->groups, (Groups{"/r", "/r/c1", "", false}));
  EXPECT_TRUE(plan->is_private);
  EXPECT_FALSE(plan->must_exist);
  EXPECT_TRUE(plan->expected.empty());
  EXPECT_EQ(plan->schemata, "L3:0=f\nMB:0=20\n");
}

TEST(PlanGroups, SchemataAreWrittenLast) {
  const auto plan = plan_groups({"gold", {"L3:0=1", "L2:0=f"}, "L3:0=f", "", false}, "c1", kHost);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->groups.control, "/r/gold");
  EXPECT_FALSE(plan->is_private);
  EXPECT_EQ(plan->schemata, "L3:0=f\nL3:0=1\nL2:0=f\n");
  EXPECT_EQ(plan->expected, std::vector<std::string>{"L3:0=f"});
}

TEST(PlanGroups, ANamedClassWithoutSchemataHasToBeThere) {
  const auto plan = plan_groups({"gold", {}, "", "", true}, "c1", kHost);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->must_exist);
  EXPECT_EQ(plan->groups.monitoring, "/r/gold/mon_groups/c1");
  EXPECT_EQ(plan->schemata, "");
}

TEST(PlanGroups, ASlashIsTheDefaultClass) {
  const auto plan = plan_groups({"/", {}, "", "", true}, "c1", kHost);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->groups.control, "/r");
  EXPECT_EQ(plan->groups.monitoring, "/r/mon_groups/c1");
}

TEST(PlanGroups, WhatTheMachineLacksIsRefused) {
  const auto cache = plan_groups({"", {}, "L3:0=f", "", false}, "c1", {"/r", false, true, {}});
  ASSERT_FALSE(cache);
  EXPECT_EQ(cache.error().message(),
            "intelRdt.l3CacheSchema is specified in config, but Intel RDT/CAT is not enabled");
  const auto bandwidth = plan_groups({"", {}, "", "MB:0=9", false}, "c1", {"/r", true, false, {}});
  ASSERT_FALSE(bandwidth);
  EXPECT_EQ(bandwidth.error().message(),
            "intelRdt.memBwSchema is specified in config, but Intel RDT/MBA is not enabled");
}

}  // namespace
}  // namespace runtime::resctrl
