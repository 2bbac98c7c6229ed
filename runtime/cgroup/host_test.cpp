#include "runtime/cgroup/host.hpp"

#include <gtest/gtest.h>

namespace runtime::cgroup {
namespace {

constexpr const char* kHybridMounts =
    "22 20 0:20 / /proc rw - proc proc rw\n"
    "30 29 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
    "31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "32 30 0:28 / /sys/fs/cgroup/memory rw shared:9 master:2 - cgroup cgroup rw,memory\n"
    "33 30 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
    "34 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
constexpr const char* kHybridSelf =
    "4:cpu,cpuacct:/\n3:memory:/box/a\n2:name=systemd:/user\n1:hugetlb:/\n0::/box\n";

TEST(ParseHost, HybridHasV1ControllersAndAUnifiedHierarchy) {
  const auto host = parse_host(kHybridMounts, kHybridSelf);

  ASSERT_TRUE(host) << host.error().message();
  EXPECT_EQ(host->layout, Layout::Hybrid);
  ASSERT_NE(host->find("cpuacct"), nullptr);
  EXPECT_EQ(host->find("cpuacct")->mount_point, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(host->find("memory")->own_path, "/box/a");
  EXPECT_EQ(host->unified()->mount_point, "/sys/fs/cgroup/unified");
  EXPECT_EQ(host->unified()->own_path, "/box");
}

TEST(ParseHost, AControllerWithoutAMountIsNotThere) {
  const auto host = parse_host(kHybridMounts, kHybridSelf);

  EXPECT_EQ(host->version_of("hugetlb"), Version::None);
  EXPECT_EQ(host->version_of("memory"), Version::V1);
}

TEST(ParseHost, OneCgroup2MountIsV2) {
  const auto host =
      parse_host("30 29 0:26 / /sys/fs/cgroup rw - cgroup2 none rw\n", "0::/a.slice\n");

  ASSERT_TRUE(host);
  EXPECT_EQ(host->layout, Layout::V2);
  EXPECT_EQ(host->unified()->own_path, "/a.slice");
}

TEST(ParseHost, WithoutCgroup2ItIsV1) {
  const auto host = parse_host("32 30 0:28 / /c/memory rw - cgroup c rw,memory\n", "3:memory:/\n");

  ASSERT_TRUE(host);
  EXPECT_EQ(host->layout, Layout::V1);
  EXPECT_EQ(host->unified(), nullptr);
}

TEST(ParseHost, OwnPathIsRelativeToWhatTheMountShows) {
  const auto host = parse_host("32 30 0:28 /docker/x /c/memory rw - cgroup c rw,memory\n",
                               "3:memory:/docker/x/y\n");

  EXPECT_EQ(host->find("memory")->own_path, "/y");
}

TEST(ParseHost, EscapesInMountPointsAreDecoded) {
  const auto host = parse_host("32 30 0:28 / /a\\040b rw - cgroup c rw,memory\n", "3:memory:/\n");

  EXPECT_EQ(host->find("memory")->mount_point, "/a b");
}

TEST(ParseHost, NoCgroupFileSystemIsAnError) {
  const auto host = parse_host("22 20 0:20 / /proc rw - proc proc rw\n", "0::/\n");

  ASSERT_FALSE(host);
  EXPECT_EQ(host.error().kind(), base::ErrorKind::NotFound);
}

TEST(ParseHost, GarbageIsSkipped) {
  const auto host = parse_host("\n-\n - \n32 30\n - cgroup\n", ":::\nx\n3:memory\n");

  EXPECT_FALSE(host);
}

}  // namespace
}  // namespace runtime::cgroup
