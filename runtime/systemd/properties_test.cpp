#include "runtime/systemd/properties.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace runtime::systemd {
namespace {

cgroup::Host host_with(cgroup::Version version) {
  cgroup::Host out;
  out.hierarchies.push_back(
      {version, "/sys/fs/cgroup", {"cpu", "cpuset", "memory", "pids", "io", "blkio"}, "/"});
  return out;
}

Properties properties_of(const oci::Resources& resources,
                         cgroup::Version version = cgroup::Version::V2) {
  return resource_properties(resources, host_with(version));
}

Property number(const char* name, std::uint64_t value, unsigned since = 0) {
  return {name, value, since};
}

TEST(ResourceProperties, NothingAskedForIsNothingSet) { EXPECT_TRUE(properties_of({}).empty()); }

TEST(ResourceProperties, MemoryCountsSwapAlone) {
  oci::Resources resources;
  resources.memory.limit = 100;
  resources.memory.swap = 130;
  resources.memory.reservation = 50;
  EXPECT_EQ(properties_of(resources), (Properties{number("MemoryMax", 100), number("MemoryLow", 50),
                                                  number("MemorySwapMax", 30)}));
}

TEST(ResourceProperties, MinusOneIsInfinity) {
  oci::Resources resources;
  resources.memory.limit = -1;
  resources.memory.swap = -1;
  resources.pids.limit = -1;
  resources.cpu.quota = -1;
  EXPECT_EQ(properties_of(resources),
            (Properties{number("MemoryMax", UINT64_MAX), number("MemorySwapMax", UINT64_MAX),
                        number("CPUQuotaPerSecUSec", UINT64_MAX), number("TasksMax", UINT64_MAX)}));
}

TEST(ResourceProperties, AQuotaIsRoundedUpToTenMilliseconds) {
  oci::Resources resources;
  resources.cpu.quota = 12345;
  resources.cpu.period = 100000;
  EXPECT_EQ(properties_of(resources), (Properties{number("CPUQuotaPerSecUSec", 130000),
                                                  number("CPUQuotaPeriodUSec", 100000, 242)}));
}

TEST(ResourceProperties, AQuotaThatOverflowsIsBounded) {
  oci::Resources resources;
  resources.cpu.quota = INT64_MAX;
  resources.cpu.period = 1;
  const Properties found = properties_of(resources);
  ASSERT_FALSE(found.empty());
  EXPECT_GT(std::get<std::uint64_t>(found[0].value), UINT64_MAX / 8);
}

TEST(ResourceProperties, IdleBeatsShares) {
  oci::Resources resources;
  resources.cpu.shares = 1024;
  EXPECT_EQ(properties_of(resources), (Properties{number("CPUWeight", 100)}));
  resources.cpu.idle = 1;
  EXPECT_EQ(properties_of(resources), (Properties{number("CPUWeight", 0, 252)}));
}

TEST(ResourceProperties, NoProcessesAtAllIsOne) {
  oci::Resources resources;
  resources.pids.limit = 0;
  EXPECT_EQ(properties_of(resources), (Properties{number("TasksMax", 1)}));
}

TEST(ResourceProperties, V1HasNamesOfItsOwn) {
  oci::Resources resources;
  resources.memory.limit = 100;
  resources.cpu.shares = 512;
  resources.cpu.cpus = "0";
  resources.block_io.weight = 100;
  EXPECT_EQ(properties_of(resources, cgroup::Version::V1),
            (Properties{number("MemoryLimit", 100), number("CPUShares", 512),
                        number("BlockIOWeight", 100)}));
}

TEST(ResourceProperties, UnifiedFilesWin) {
  oci::Resources resources;
  resources.memory.limit = 100;
  resources.unified = {{"memory.max", "200"},       {"memory.high", "max"},
                       {"cpu.max", "50000 100000"}, {"cpuset.cpus", "0-1"},
                       {"memory.oom.group", "1"},   {"pids.max", "5\n"}};
  EXPECT_EQ(properties_of(resources),
            (Properties{number("MemoryMax", 200),
                        number("MemoryHigh", UINT64_MAX),
                        {"OOMPolicy", std::string("kill"), 253},
                        number("CPUQuotaPerSecUSec", 500000),
                        number("CPUQuotaPeriodUSec", 100000, 242),
                        {"AllowedCPUs", std::vector<std::uint8_t>{3}, 244},
                        number("TasksMax", 5)}));
}

TEST(ResourceProperties, UnifiedNonsenseIsLeftToTheKernel) {
  oci::Resources resources;
  resources.unified = {{"memory.max", "12x"}, {"cpu.max", "1 0"}, {"cpuset.cpus", "a"}};
  EXPECT_TRUE(properties_of(resources).empty());
}

TEST(MaskOfList, HasTheLowestProcessorInTheLowestBit) {
  EXPECT_EQ(*mask_of_list("0-2,7"), (std::vector<std::uint8_t>{0x87}));
  EXPECT_EQ(*mask_of_list("8"), (std::vector<std::uint8_t>{0, 1}));
  EXPECT_EQ(*mask_of_list("1,9-10\n"), (std::vector<std::uint8_t>{2, 6}));
}

TEST(MaskOfList, NonsenseAndGiantsAreRefused) {
  for (const char* text : {"", ",", "a", "1-", "3-1", "-1", "1-2-3", "4294967295", "0-99999999"}) {
    EXPECT_FALSE(mask_of_list(text)) << text;
  }
}

TEST(UnitProperties, AScopeIsDelegatedAndHasItsProcess) {
  const Properties found = unit_properties({"a.slice", "a-b.scope"}, "b", 42);
  EXPECT_NE(std::ranges::find(found, Property{"Delegate", true, 0}), found.end());
  EXPECT_NE(std::ranges::find(found, Property{"PIDs", std::vector<std::uint32_t>{42}, 0}),
            found.end());
  EXPECT_NE(std::ranges::find(found, Property{"Slice", std::string("a.slice"), 0}), found.end());
}

TEST(UnitProperties, ASliceHasNeither) {
  for (const Property& each : unit_properties({"a.slice", "a-b.slice"}, "b", 42)) {
    EXPECT_NE(each.name, "PIDs");
    EXPECT_NE(each.name, "Delegate");
  }
}

Properties annotated(const std::string& name, const std::string& value) {
  auto out = annotated_properties({{"other", "x"}, {"org.systemd.property." + name, value}});
  return out ? *std::move(out) : Properties{{out.error().message(), false, 0}};
}

TEST(AnnotatedProperties, TypesAreGVariants) {
  EXPECT_EQ(annotated("TasksMax", "uint64 5"), (Properties{number("TasksMax", 5)}));
  EXPECT_EQ(annotated("CollectMode", "'inactive-or-failed'"),
            (Properties{{"CollectMode", std::string("inactive-or-failed"), 0}}));
  EXPECT_EQ(annotated("SendSIGHUP", "true"), (Properties{{"SendSIGHUP", true, 0}}));
  EXPECT_EQ(annotated("Before", "['a.target', \"b.target\"]"),
            (Properties{{"Before", std::vector<std::string>{"a.target", "b.target"}, 0}}));
  EXPECT_EQ(annotated("Weight", "-3"), (Properties{{"Weight", std::int32_t{-3}, 0}}));
}

TEST(AnnotatedProperties, SecondsBecomeMicroseconds) {
  EXPECT_EQ(annotated("RuntimeMaxSec", "2.5"), (Properties{number("RuntimeMaxUSec", 2500000)}));
  EXPECT_EQ(annotated("TimeoutStopSec", "uint64 3"),
            (Properties{number("TimeoutStopUSec", 3000000)}));
  EXPECT_EQ(annotated("TimeoutStopUSec", "uint64 3"), (Properties{number("TimeoutStopUSec", 3)}));
}

TEST(AnnotatedProperties, NonsenseIsAnError) {
  const std::pair<const char*, const char*> kWrong[] = {
      {"TasksMax", "uint64 x"}, {"TasksMax", "uint64 -1"}, {"Name", "'open"},
      {"lower", "true"},        {"A.B", "true"},           {"Name", "['a' 'b']"},
      {"TimeoutSec", "'a'"},    {"TimeoutSec", "-1"},      {"Name", ""}};
  for (const auto& [name, value] : kWrong) {
    EXPECT_FALSE(annotated_properties({{std::string("org.systemd.property.") + name, value}}))
        << name << ' ' << value;
  }
}

TEST(Merge, TheNewerOfTwoWins) {
  Properties properties{number("A", 1), number("B", 2)};
  merge(properties, {number("A", 3)});
  EXPECT_EQ(properties, (Properties{number("B", 2), number("A", 3)}));
}

TEST(DropNewer, OldVersionsGetWhatTheyKnow) {
  Properties properties{number("A", 1), number("B", 2, 252), number("C", 3, 244)};
  EXPECT_TRUE(drop_newer(properties, 250));
  EXPECT_EQ(properties, (Properties{number("A", 1), number("C", 3, 244)}));
  EXPECT_FALSE(drop_newer(properties, 250));
}

}  // namespace
}  // namespace runtime::systemd
