#include "runtime/resctrl/groups.hpp"

#include <gtest/gtest.h>

#include "runtime/resctrl/fake_resctrl.hpp"

namespace runtime::resctrl {
namespace {

Plan plan_of(const FakeResctrl& fake, const oci::IntelRdt& rdt) {
  return *plan_groups(rdt, "c1", read_host(fake.root()));
}

TEST(Make, AClassOfItsOwnIsOwnedAndRemovedWithItsMonitoringGroup) {
  const FakeResctrl fake;
  Plan plan = plan_of(fake, {"", {}, "", "", true});
  // Without the kernel nobody makes mon_groups: the step fails and says where, and what it had made
  // is known.
  const auto failed = make(plan);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message(), "last_cmd_status: ok: mkdir " + fake.at("c1/mon_groups/c1") +
                                          ": no such file or directory");
  EXPECT_TRUE(plan.groups.owns_control);
  fake.empty("c1");
  EXPECT_TRUE(remove(plan.groups));
  EXPECT_FALSE(fake.has("c1"));
  EXPECT_TRUE(remove(plan.groups));
}

TEST(Make, AClassThatIsThereIsNotOwned) {
  const FakeResctrl fake;
  fake.fill("c1");
  Plan plan = plan_of(fake, {"", {"L3:0=f"}, "", "", true});
  ASSERT_TRUE(make(plan));
  EXPECT_FALSE(plan.groups.owns_control);
  EXPECT_TRUE(fake.get("c1/schemata").starts_with("L3:0=f\n"));
  EXPECT_TRUE(fake.has("c1/mon_groups/c1"));
  EXPECT_TRUE(remove(plan.groups));
  EXPECT_TRUE(fake.has("c1"));
  EXPECT_FALSE(fake.has("c1/mon_groups/c1"));
}

TEST(Make, ANamedClassHasToBeThereOrToGetSchemata) {
  const FakeResctrl fake;
  Plan plan = plan_of(fake, {"gold", {}, "", "", false});
  const auto made = make(plan);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message().find("clos dir not accessible (must be pre-created"),
            std::string::npos);
  EXPECT_FALSE(fake.has("gold"));
  fake.fill("gold");
  const std::string before = fake.get("gold/schemata");
  EXPECT_TRUE(make(plan));
  EXPECT_EQ(fake.get("gold/schemata"), before);
}

TEST(Make, ANamedClassThatIsThereHasToAgree) {
  const FakeResctrl fake;
  fake.fill("gold");
  Plan other = plan_of(fake, {"gold", {}, "L3:0=f", "", false});
  const auto made = make(other);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message().find("the class exists and does not have \"L3:0=f\""),
            std::string::npos);
  EXPECT_EQ(fake.get("gold/schemata").find("L3:0=f\n"), std::string::npos);

  Plan same = plan_of(fake, {"gold", {}, "L3:1=fffff", "MB:0=100", false});
  EXPECT_TRUE(make(same));
}

TEST(Make, AMonitoringGroupTooManyIsAnErrorWithTheKernelsWords) {
  const FakeResctrl fake;
  fake.fill("gold");
  std::filesystem::remove_all(fake.at("gold/mon_groups"));
  fake.put("info/last_cmd_status", "out of RMIDs\n");
  Plan plan = plan_of(fake, {"gold", {}, "", "", true});
  const auto made = make(plan);
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().message().starts_with("last_cmd_status: out of RMIDs: mkdir "));
}

TEST(Undo, ANamedClassGoesOnlyWhileNobodyElseIsInIt) {
  const FakeResctrl fake;
  Plan plan = plan_of(fake, {"gold", {"L3:0=f"}, "", "", false});
  EXPECT_FALSE(make(plan));  // made, and then there is no file schemata
  EXPECT_TRUE(fake.has("gold"));
  fake.put("gold/tasks", "12\n");
  EXPECT_TRUE(undo(plan));
  EXPECT_TRUE(fake.has("gold"));
  fake.empty("gold");
  EXPECT_TRUE(undo(plan));
  EXPECT_FALSE(fake.has("gold"));
}

TEST(WriteSchemata, NewLinesGoToTheClass) {
  const FakeResctrl fake;
  fake.fill("gold");
  const Plan plan = plan_of(fake, {"gold", {}, "", "", false});
  ASSERT_TRUE(write_schemata(plan.groups, "L3:0=3\nMB:0=50\n"));
  EXPECT_TRUE(fake.get("gold/schemata").starts_with("L3:0=3\nMB:0=50\n"));
}

TEST(Enter, TheProcessIsInTheClassAndInTheMonitoringGroup) {
  const FakeResctrl fake;
  fake.fill("gold");
  fake.put("gold/mon_groups/c1/tasks", "");
  const Plan plan = plan_of(fake, {"gold", {}, "", "", true});
  ASSERT_TRUE(enter(plan.groups, 4711));
  EXPECT_EQ(fake.get("gold/tasks"), "4711");
  EXPECT_EQ(fake.get("gold/mon_groups/c1/tasks"), "4711");
}

TEST(Enter, AGroupThatIsGoneIsAnError) {
  const FakeResctrl fake;
  const auto entered = enter({fake.root(), fake.at("gold"), "", false}, 4711);
  ASSERT_FALSE(entered);
  EXPECT_NE(entered.error().message().find("gold/tasks"), std::string::npos);
}

TEST(Enter, TheDefaultClassIsTheRoot) {
  const FakeResctrl fake;
  Plan plan = plan_of(fake, {"/", {}, "", "", false});
  ASSERT_TRUE(make(plan));
  ASSERT_TRUE(enter(plan.groups, 1));
  EXPECT_EQ(fake.get("tasks"), "1");
  EXPECT_TRUE(remove(plan.groups));
  EXPECT_TRUE(fake.has("schemata"));
}

}  // namespace
}  // namespace runtime::resctrl
