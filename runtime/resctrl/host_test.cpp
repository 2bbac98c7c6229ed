#include "runtime/resctrl/host.hpp"

#include <gtest/gtest.h>

#include "runtime/resctrl/fake_resctrl.hpp"

namespace runtime::resctrl {
namespace {

TEST(FindRoot, IsWhereItIsMountedAsAWhole) {
  EXPECT_EQ(find_root("20 1 0:19 / /sys rw - sysfs sysfs rw\n"
                      "21 1 0:20 /gold /a rw - resctrl resctrl rw\n"
                      "22 1 0:20 / /mnt/res\\040ctrl rw shared:3 - resctrl resctrl rw,mba_MBps\n"),
            "/mnt/res ctrl");
  EXPECT_FALSE(find_root("20 1 0:19 / /sys/fs/resctrl rw - sysfs sysfs rw\n"));
  EXPECT_FALSE(find_root(""));
}

TEST(ParseMonitors, SkipsWhatItDoesNotKnow) {
  const Monitors found = parse_monitors("llc_occupancy\nmbm_total_bytes_config\nmbm_local_bytes\n");
  EXPECT_TRUE(found.llc_occupancy);
  EXPECT_FALSE(found.mbm_total_bytes);
  EXPECT_TRUE(found.mbm_local_bytes);
}

TEST(ReadHost, SaysWhatTheInfoDirectoryHas) {
  const FakeResctrl fake;
  const Host all = read_host(fake.root());
  EXPECT_TRUE(all.has_cache && all.has_bandwidth && all.monitors.mbm_total_bytes);

  std::filesystem::remove_all(fake.at("info/MB"));
  std::filesystem::remove_all(fake.at("info/L3_MON"));
  const Host less = read_host(fake.root());
  EXPECT_TRUE(less.has_cache);
  EXPECT_FALSE(less.has_bandwidth);
  EXPECT_FALSE(less.monitors.llc_occupancy);
}

}  // namespace
}  // namespace runtime::resctrl
