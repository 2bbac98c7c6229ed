#include "runtime/cgroup/device_rules.hpp"

#include <gtest/gtest.h>

namespace runtime::cgroup {
namespace {

using oci::DeviceRule;
using oci::DeviceRuleType;
using Writes = std::vector<DeviceWrite>;

const DeviceRule kDenyAll{false, DeviceRuleType::All, {}, {}, "rwm"};
const DeviceRule kAllowAll{true, DeviceRuleType::All, {}, {}, ""};
const DeviceRule kAllowNull{true, DeviceRuleType::Char, 1, 3, "rwm"};

Writes plan(std::vector<DeviceRule> rules) {
  const auto writes = plan_v1_devices(rules);
  EXPECT_TRUE(writes) << writes.error().message();
  return writes ? *writes : Writes{};
}

TEST(PlanV1Devices, NoRuleMeansDeny) { EXPECT_EQ(plan({}), (Writes{{false, "a"}})); }

TEST(PlanV1Devices, AllowedDevicesAreExceptionsFromDeny) {
  EXPECT_EQ(plan({kDenyAll, kAllowNull}), (Writes{{false, "a"}, {true, "c 1:3 rwm"}}));
}

TEST(PlanV1Devices, DenyAllForgetsWhatWasAllowedBefore) {
  EXPECT_EQ(plan({kAllowNull, kDenyAll}), (Writes{{false, "a"}}));
}

TEST(PlanV1Devices, DeniedDevicesAreExceptionsFromAllow) {
  EXPECT_EQ(plan({kAllowAll, {false, DeviceRuleType::Block, 8, std::nullopt, "w"}}),
            (Writes{{true, "a"}, {false, "b 8:* w"}}));
}

TEST(PlanV1Devices, AccessOfTheSameDeviceAddsUp) {
  EXPECT_EQ(
      plan({{true, DeviceRuleType::Char, 1, 3, "w"}, {true, DeviceRuleType::Char, 1, 3, "r"}}),
      (Writes{{false, "a"}, {true, "c 1:3 rw"}}));
}

TEST(PlanV1Devices, ALaterDenyTakesAccessAway) {
  EXPECT_EQ(plan({kAllowNull, {false, DeviceRuleType::Char, 1, std::nullopt, "w"}}),
            (Writes{{false, "a"}, {true, "c 1:3 rm"}}));
}

TEST(PlanV1Devices, AHoleInAWildcardIsRefusedRatherThanIgnored) {
  const std::vector<DeviceRule> rules{{true, DeviceRuleType::Char, 1, std::nullopt, "rwm"},
                                      {false, DeviceRuleType::Char, 1, 5, "rwm"}};

  const auto writes = plan_v1_devices(rules);

  ASSERT_FALSE(writes);
  EXPECT_EQ(writes.error().message(),
            "cgroup v1 cannot make an exception for \"c 1:5 rwm\" inside \"c 1:* rwm\"");
}

TEST(PlanV1Devices, TheDefaultListIsNeverTheHostsConsole) {
  for (const DeviceWrite& write : plan(default_device_rules())) {
    EXPECT_NE(write.line, "c 5:1 rwm");
  }
}

}  // namespace
}  // namespace runtime::cgroup
