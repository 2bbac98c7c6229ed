#include "runtime/state/record.hpp"

#include <gtest/gtest.h>

namespace runtime::state {
namespace {

Record sample() {
  Record record;
  record.oci_version = "1.0.2";
  record.id = "c1";
  record.phase = Phase::Created;
  record.creator = {12, 34};
  record.init = ProcessId{56, 78};
  record.bundle = "/b";
  record.rootfs = "/b/root \"fs\"";
  record.created = timestamp_now();
  record.owner = 1000;
  record.annotations = {{"a", "1"}};
  record.cgroup = {{"", "/sys/fs/cgroup/unified/c1"}, {"memory", "/sys/fs/cgroup/memory/c1"}};
  record.unit = systemd::Unit{"it-c1.scope", systemd::Instance::User};
  record.resctrl = resctrl::Groups{"/sys/fs/resctrl", "/sys/fs/resctrl/c1", "", true};
  record.mounts = {"/m1", "/m2"};
  record.is_wasm = true;
  record.stdio = {"pipe:[1]", "file[1f:2a]", ""};
  return record;
}

TEST(Record, ComesBackAsItWasWritten) {
  const std::string text = to_json(sample());

  const auto again = parse_record(text);

  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(to_json(*again), text);
  EXPECT_EQ(again->phase, Phase::Created);
  EXPECT_EQ(again->init, (ProcessId{56, 78}));
  EXPECT_EQ(again->unit, sample().unit);
  EXPECT_EQ(again->resctrl, sample().resctrl);
}

TEST(Record, WithoutInitIsTheIntent) {
  Record intent = sample();
  intent.phase = Phase::Creating;
  intent.init.reset();

  const auto again = parse_record(to_json(intent));

  ASSERT_TRUE(again);
  EXPECT_FALSE(again->init.has_value());
}

TEST(Record, WithoutTheSystemdDriverThereIsNoUnit) {
  Record record = sample();
  record.unit.reset();

  const auto again = parse_record(to_json(record));

  ASSERT_TRUE(again);
  EXPECT_FALSE(again->unit.has_value());
}

TEST(Record, WithoutIntelRdtThereAreNoGroups) {
  Record record = sample();
  record.resctrl.reset();

  const auto again = parse_record(to_json(record));

  ASSERT_TRUE(again);
  EXPECT_FALSE(again->resctrl.has_value());
}

TEST(Record, EveryCutIsRefused) {
  const std::string text = to_json(sample());
  for (std::size_t length = 0; length + 2 < text.size(); ++length) {
    EXPECT_FALSE(parse_record(text.substr(0, length))) << length;
  }
}

TEST(Record, AWrongMemberIsNamed) {
  std::string text = to_json(sample());
  text.replace(text.find("\"pid\":56"), 8, "\"pid\":-1");

  const auto record = parse_record(text);

  ASSERT_FALSE(record);
  EXPECT_EQ(record.error().message(), "init.pid: not a pid");
}

TEST(Timestamp, IsRfc3339WithNanoseconds) {
  const std::string now = timestamp_now();

  EXPECT_EQ(now.size(), std::string("2026-01-02T03:04:05.000000006Z").size()) << now;
  EXPECT_EQ(now.back(), 'Z');
}

}  // namespace
}  // namespace runtime::state
