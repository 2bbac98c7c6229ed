#include "runtime/cgroup/resources.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runtime::cgroup {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Host v1_host() {
  return {Layout::V1,
          {{Version::V1, "/c/cpu", {"cpu", "cpuset"}, "/"},
           {Version::V1, "/c/memory", {"memory", "pids", "blkio"}, "/"}}};
}
Host v2_host() {
  return {Layout::V2,
          {{Version::V2, "/c", {"cpu", "cpuset", "memory", "pids", "io", "hugetlb", "rdma"}, "/"}}};
}
Host hybrid_host() {
  Host host = v1_host();
  host.layout = Layout::Hybrid;
  host.hierarchies.push_back({Version::V2, "/c/unified", {"hugetlb"}, "/"});
  return host;
}

// "file=value" of each write, a question mark after those that may fail.
std::vector<std::string> writes(const oci::Resources& resources, const Host& host) {
  std::vector<std::string> out;
  const auto plan = plan_resources(resources, host);
  if (!plan) return {"error: " + plan.error().message()};
  for (const Setting& each : plan->settings) {
    out.push_back(each.file + '=' + each.value + (each.optional ? "?" : ""));
  }
  return out;
}

TEST(PlanResources, NothingAskedNothingWritten) {
  EXPECT_THAT(writes({}, v1_host()), IsEmpty());
  EXPECT_THAT(writes({}, v2_host()), IsEmpty());
}

TEST(PlanResources, MemoryComesBeforeMemoryWithSwapOnV1) {
  oci::Resources resources;
  resources.memory.limit = 1000;
  resources.memory.reservation = 500;
  resources.memory.swap = 3000;

  EXPECT_THAT(writes(resources, v1_host()),
              ElementsAre("memory.limit_in_bytes=1000", "memory.memsw.limit_in_bytes=3000",
                          "memory.soft_limit_in_bytes=500"));
}

TEST(PlanResources, SwapIsCountedAloneOnV2) {
  oci::Resources resources;
  resources.memory.limit = 1000;
  resources.memory.swap = 3000;

  EXPECT_THAT(writes(resources, v2_host()), ElementsAre("memory.swap.max=2000", "memory.max=1000"));
}

TEST(PlanResources, NoSwapAtAllNeedsNoSwapFileOnV2) {
  oci::Resources resources;
  resources.memory.limit = 1000;
  resources.memory.swap = 1000;

  EXPECT_THAT(writes(resources, v2_host()), ElementsAre("memory.swap.max=0?", "memory.max=1000"));
}

TEST(PlanResources, UnlimitedIsMinusOneOnV1AndMaxOnV2) {
  oci::Resources resources;
  resources.memory.limit = -1;
  resources.memory.swap = -1;
  resources.pids.limit = -1;

  EXPECT_THAT(
      writes(resources, v1_host()),
      ElementsAre("memory.limit_in_bytes=-1?", "memory.memsw.limit_in_bytes=-1?", "pids.max=max?"));
  EXPECT_THAT(writes(resources, v2_host()),
              ElementsAre("memory.swap.max=max?", "memory.max=max?", "pids.max=max?"));
}

TEST(PlanResources, SwapBelowMemoryIsRefused) {
  oci::Resources resources;
  resources.memory.limit = 1000;
  resources.memory.swap = 500;

  EXPECT_THAT(writes(resources, v1_host()),
              ElementsAre("error: linux.resources.memory.swap: below memory.limit"));
}

TEST(PlanResources, KernelMemoryIsTriedOnV1AndAWarningEverywhere) {
  oci::Resources resources;
  resources.memory.kernel = 1000;

  const auto plan = plan_resources(resources, v1_host());

  ASSERT_EQ(plan->settings.size(), 1u);
  EXPECT_EQ(plan->settings[0].file, "memory.kmem.limit_in_bytes");
  EXPECT_TRUE(plan->settings[0].optional);
  EXPECT_THAT(plan->warnings, ElementsAre(HasSubstr("memory.kernel is ignored by kernels since")));
  EXPECT_THAT(plan_resources(resources, v2_host())->settings, IsEmpty());
}

TEST(PlanResources, PeriodPrecedesQuotaPrecedesBurstOnV1) {
  oci::Resources resources;
  resources.cpu.shares = 512;
  resources.cpu.quota = 20000;
  resources.cpu.burst = 1000;
  resources.cpu.period = 50000;

  EXPECT_THAT(writes(resources, v1_host()),
              ElementsAre("cpu.shares=512", "cpu.cfs_period_us=50000", "cpu.cfs_quota_us=20000",
                          "cpu.cfs_burst_us=1000"));
}

TEST(PlanResources, QuotaAndPeriodAreOneLineOnV2) {
  oci::Resources resources;
  resources.cpu.shares = 1024;
  resources.cpu.quota = 20000;

  EXPECT_THAT(writes(resources, v2_host()), ElementsAre("cpu.weight=100?", "cpu.max=20000 100000"));
}

TEST(PlanResources, CpusetIsWrittenBeforeAnyProcessCanJoin) {
  oci::Resources resources;
  resources.cpu.cpus = "0-1";
  resources.cpu.mems = "0";
  resources.pids.limit = 5;

  EXPECT_THAT(writes(resources, v1_host()),
              ElementsAre("cpuset.cpus=0-1", "cpuset.mems=0", "pids.max=5"));
}

TEST(PlanResources, NoForkAtAllIsOneProcess) {
  oci::Resources resources;
  resources.pids.limit = 0;

  EXPECT_THAT(writes(resources, v1_host()), ElementsAre("pids.max=1"));
  EXPECT_THAT(writes(resources, v2_host()), ElementsAre("pids.max=1"));
}

TEST(PlanResources, AControllerThatOnlyV2HasIsUsedThereInHybrid) {
  oci::Resources resources;
  resources.hugepage_limits = {{"2MB", 4096}};

  const auto plan = plan_resources(resources, hybrid_host());

  ASSERT_EQ(plan->settings.size(), 2u);
  EXPECT_EQ(plan->settings[0].file, "hugetlb.2MB.max");
  EXPECT_EQ(plan->settings[0].version, Version::V2);
  EXPECT_TRUE(plan->settings[1].optional);
}

TEST(PlanResources, AMissingControllerIsAnErrorUnlessTheDefaultIsAskedFor) {
  const Host bare{Layout::V1, {{Version::V1, "/c/cpu", {"cpu"}, "/"}}};
  oci::Resources unlimited;
  unlimited.memory.limit = -1;
  oci::Resources limited;
  limited.memory.limit = 1000;

  EXPECT_THAT(writes(unlimited, bare), IsEmpty());
  EXPECT_THAT(writes(limited, bare),
              ElementsAre("error: linux.resources.memory.limit: this host has no cgroup controller "
                          "memory"));
}

TEST(PlanResources, BlockIoWeightsHaveASecondName) {
  oci::Resources resources;
  resources.block_io.weight = 500;

  const auto v1 = plan_resources(resources, v1_host());
  const auto v2 = plan_resources(resources, v2_host());

  EXPECT_EQ(v1->settings[0].other_file, "blkio.bfq.weight");
  EXPECT_EQ(v2->settings[0].file, "io.bfq.weight");
  EXPECT_EQ(v2->settings[0].other_value, "4950");
}

TEST(PlanResources, ThrottlesAreOneWritePerDevice) {
  oci::Resources resources;
  resources.block_io.throttle_read_bps_device = {{8, 0, 1000}, {8, 16, 2000}};

  EXPECT_THAT(writes(resources, v1_host()),
              ElementsAre("blkio.throttle.read_bps_device=8:0 1000",
                          "blkio.throttle.read_bps_device=8:16 2000"));
  EXPECT_THAT(writes(resources, v2_host()),
              ElementsAre("io.max=8:0 rbps=1000", "io.max=8:16 rbps=2000"));
}

TEST(PlanResources, UnifiedFilesAreWrittenLineByLine) {
  oci::Resources resources;
  resources.unified = {{"memory.high", "4096"}, {"io.max", "8:0 rbps=1\n8:1 rbps=2\n"}};

  EXPECT_THAT(writes(resources, v2_host()),
              ElementsAre("io.max=8:0 rbps=1", "io.max=8:1 rbps=2", "memory.high=4096"));
}

TEST(PlanResources, UnifiedNeedsV2AndANameWithoutSlash) {
  oci::Resources high;
  high.unified = {{"memory.high", "1"}};
  oci::Resources escape;
  escape.unified = {{"../memory.high", "1"}};

  EXPECT_THAT(writes(high, v1_host()), ElementsAre(HasSubstr("no cgroup v2 controller memory")));
  EXPECT_THAT(writes(escape, v2_host()), ElementsAre(HasSubstr("not the name of a cgroup file")));
}

TEST(OrderForUpdate, RaisesTheSumFirstAndLowersItLast) {
  oci::Resources resources;
  resources.memory.limit = 1000;
  resources.memory.swap = 2000;
  ResourcePlan raise = *plan_resources(resources, v1_host());
  ResourcePlan lower = raise;

  order_for_update(raise, 500);
  order_for_update(lower, 4000);

  EXPECT_EQ(raise.settings[0].file, "memory.memsw.limit_in_bytes");
  EXPECT_EQ(lower.settings[0].file, "memory.limit_in_bytes");
}

TEST(CpuWeight, MeetsTheCurveAtItsThreePoints) {
  EXPECT_EQ(cpu_weight_of_shares(2), 1u);
  EXPECT_EQ(cpu_weight_of_shares(1024), 100u);
  EXPECT_EQ(cpu_weight_of_shares(262144), 10000u);
}

TEST(IoWeight, SpansTheRange) {
  EXPECT_EQ(io_weight_of_blkio(10), 1u);
  EXPECT_EQ(io_weight_of_blkio(1000), 10000u);
}

}  // namespace
}  // namespace runtime::cgroup
