#include "runtime/security/capabilities.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/file.hpp"
#include "runtime/security/in_child.hpp"

namespace runtime::security {
namespace {

constexpr CapabilityMask bit(unsigned number) { return CapabilityMask{1} << number; }
constexpr CapabilityMask kAll = bit(CAP_LAST_CAP + 1) - 1;
constexpr CapabilitySets kRoot{kAll, kAll, 0, kAll, 0};

TEST(Capabilities, NamesAndNumbersAgreeWithTheKernels) {
  EXPECT_EQ(capability_names().size(), static_cast<std::size_t>(CAP_LAST_CAP) + 1);
  EXPECT_EQ(capability_number("CAP_CHOWN"), static_cast<unsigned>(CAP_CHOWN));
  EXPECT_EQ(capability_number("CAP_SYS_ADMIN"), static_cast<unsigned>(CAP_SYS_ADMIN));
  EXPECT_EQ(capability_number("CAP_AUDIT_READ"), static_cast<unsigned>(CAP_AUDIT_READ));
  EXPECT_EQ(capability_number("CAP_CHECKPOINT_RESTORE"),
            static_cast<unsigned>(CAP_CHECKPOINT_RESTORE));
  EXPECT_FALSE(capability_number("CAP_NOPE"));
  EXPECT_FALSE(capability_number("CHOWN"));
}

TEST(PlanCapabilities, GrantsWhatIsHeld) {
  const CapabilityPlan plan = plan_capabilities(
      {{"CAP_KILL", "CAP_CHOWN"}, {"CAP_KILL"}, {}, {"CAP_KILL", "CAP_CHOWN"}, {}}, kRoot);
  EXPECT_EQ(plan.sets.bounding, bit(CAP_KILL) | bit(CAP_CHOWN));
  EXPECT_EQ(plan.sets.effective, bit(CAP_KILL));
  EXPECT_EQ(plan.sets.permitted, bit(CAP_KILL) | bit(CAP_CHOWN));
  EXPECT_EQ(plan.bounding_to_drop, kAll & ~plan.sets.bounding);
  EXPECT_TRUE(plan.warnings.empty());
}

TEST(PlanCapabilities, WhatCannotBeGrantedIsAWarning) {
  CapabilitySets held = kRoot;
  held.permitted &= ~bit(CAP_SYS_RESOURCE);
  held.effective &= ~bit(CAP_SYS_RESOURCE);
  held.bounding &= ~bit(CAP_SYS_RESOURCE);
  const CapabilityPlan plan =
      plan_capabilities({{"CAP_SYS_RESOURCE", "CAP_KILL"},
                         {"CAP_SYS_RESOURCE", "CAP_KILL"},
                         {},
                         {"CAP_SYS_RESOURCE", "CAP_KILL", "CAP_NEWER", "CAP_NEWER"},
                         {}},
                        held);
  EXPECT_EQ(plan.sets.permitted, bit(CAP_KILL));
  EXPECT_EQ(plan.sets.effective, bit(CAP_KILL));
  EXPECT_EQ(plan.sets.bounding, bit(CAP_KILL));
  EXPECT_THAT(plan.warnings,
              testing::ElementsAre(
                  "ignoring unknown capabilities: CAP_NEWER",
                  "ignoring bounding capabilities that cannot be granted: CAP_SYS_RESOURCE",
                  "ignoring permitted capabilities that cannot be granted: CAP_SYS_RESOURCE",
                  "ignoring effective capabilities that cannot be granted: CAP_SYS_RESOURCE"));
}

TEST(PlanCapabilities, EverySetStaysWithinWhatTheKernelAllows) {
  const CapabilityPlan plan = plan_capabilities(
      {{}, {"CAP_CHOWN"}, {"CAP_KILL"}, {"CAP_KILL"}, {"CAP_KILL", "CAP_CHOWN"}}, kRoot);
  EXPECT_EQ(plan.sets.effective, 0U);    // not permitted
  EXPECT_EQ(plan.sets.inheritable, 0U);  // not in the bounding set
  EXPECT_EQ(plan.sets.ambient, 0U);      // not inheritable
  EXPECT_EQ(plan.warnings.size(), 4U);   // ambient ones each have their own
}

TEST(PlanCapabilities, WithoutSetpcapTheBoundingSetStays) {
  CapabilitySets held{kAll, 0, 0, 0, 0};
  const CapabilityPlan plan = plan_capabilities({}, held);
  EXPECT_EQ(plan.bounding_to_drop, 0U);
  EXPECT_THAT(plan.warnings, testing::ElementsAre(testing::HasSubstr("no CAP_SETPCAP")));
}

/// The lines of /proc/self/status about capabilities, without the tabs.
std::string status_lines() {
  const auto status = base::read_file("/proc/self/status", 65536);
  std::string out;
  for (const char* name : {"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"}) {
    const std::size_t at = status->find(name);
    out += std::string(name) + status->substr(at + 8, 16) + "\n";
  }
  return out;
}

TEST(ApplyCapabilities, ThePlanHoldsForAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const std::vector<std::string> two = {"CAP_KILL", "CAP_NET_BIND_SERVICE"};
  EXPECT_EQ(in_child([&]() -> std::string {
              const auto held = held_capabilities();
              if (!held) return held.error().message();
              const CapabilityPlan plan =
                  plan_capabilities({two, two, {"CAP_KILL"}, two, {"CAP_KILL"}}, *held);
              if (!plan.warnings.empty()) return plan.warnings.front();
              if (auto done = apply_bounding_set(plan); !done) return done.error().message();
              if (::setresuid(1000, 1000, 1000) != 0) return "setresuid";
              if (auto done = apply_capabilities(plan); !done) return done.error().message();
              return status_lines();
            }),
            "CapInh:0000000000000020\nCapPrm:0000000000000420\nCapEff:0000000000000420\n"
            "CapBnd:0000000000000420\nCapAmb:0000000000000020\n");
}

TEST(ApplyCapabilities, EmptySetsLeaveRootWithNothing) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(in_child([&]() -> std::string {
              const auto held = held_capabilities();
              if (!held) return held.error().message();
              const CapabilityPlan plan = plan_capabilities({}, *held);
              if (auto done = apply_bounding_set(plan); !done) return done.error().message();
              if (auto done = apply_capabilities(plan); !done) return done.error().message();
              return status_lines() + (::prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 0 ? "" : "keepcaps");
            }),
            "CapInh:0000000000000000\nCapPrm:0000000000000000\nCapEff:0000000000000000\n"
            "CapBnd:0000000000000000\nCapAmb:0000000000000000\n");
}

TEST(ApplyCapabilities, AskingForEverythingFailsNowhere) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  std::vector<std::string> all;
  for (const std::string_view name : capability_names()) all.emplace_back(name);
  EXPECT_EQ(in_child([&]() -> std::string {
              const auto held = held_capabilities();
              if (!held) return held.error().message();
              const CapabilityPlan plan = plan_capabilities({all, all, all, all, all}, *held);
              if (auto done = apply_bounding_set(plan); !done) return done.error().message();
              if (auto done = apply_capabilities(plan); !done) return done.error().message();
              const auto after = held_capabilities();
              return after->permitted == held->permitted && after->effective == held->permitted &&
                             after->inheritable == held->permitted
                         ? "as before"
                         : "changed";
            }),
            "as before");
}

}  // namespace
}  // namespace runtime::security
