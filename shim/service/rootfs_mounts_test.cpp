#include "shim/service/rootfs_mounts.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.hpp"
#include "base/temp_dir.hpp"

namespace shim::service {
namespace {

TEST(RootfsMounts, FewLayersKeepTheirAbsolutePaths) {
  const auto data = mount_data({"lowerdir=/a/1:/a/2", "upperdir=/a/3"});
  ASSERT_TRUE(data);
  EXPECT_EQ(data->directory, "");
  EXPECT_EQ(data->text, "lowerdir=/a/1:/a/2,upperdir=/a/3");
}

TEST(RootfsMounts, ManyLayersAreNamedFromTheirCommonDirectory) {
  std::string lower = "lowerdir=";
  for (int i = 100; i < 200; ++i) {
    lower += (i == 100 ? "" : ":") + std::string("/var/lib/containerd/snapshots/long/") +
             std::to_string(i) + "/fs";
  }
  const auto data = mount_data({lower, "workdir=/w"});
  ASSERT_TRUE(data);
  EXPECT_EQ(data->directory, "/var/lib/containerd/snapshots/long/");
  EXPECT_TRUE(data->text.starts_with("lowerdir=100/fs:101/fs:"));
  EXPECT_TRUE(data->text.ends_with("199/fs,workdir=/w"));
}

TEST(RootfsMounts, WhatFitsIntoNoPageIsRefused) {
  EXPECT_EQ(mount_data({"x=" + std::string(5000, 'y')}).error().kind(),
            base::ErrorKind::LimitExceeded);
}

TEST(RootfsMounts, AFailureLeavesNothingMounted) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const base::TempDir directory;
  const std::string rootfs = directory.path() / "rootfs";
  const std::string source = directory.path() / "source";
  ASSERT_EQ(::mkdir(rootfs.c_str(), 0755) + ::mkdir(source.c_str(), 0755), 0);
  ASSERT_TRUE(base::write_atomic(source + "/file", "x", 0644));
  const protocol::Mount bind{"bind", source, "", {"rbind", "ro"}};
  ASSERT_TRUE(mount_rootfs({bind}, rootfs));
  EXPECT_EQ(::access((rootfs + "/file").c_str(), F_OK), 0);
  EXPECT_FALSE(base::write_atomic(rootfs + "/file", "y", 0644));
  ASSERT_TRUE(unmount_rootfs(rootfs));
  EXPECT_FALSE(mount_rootfs({bind, {"no-such-type", "none", "", {}}}, rootfs));
  EXPECT_NE(::access((rootfs + "/file").c_str(), F_OK), 0);
  EXPECT_TRUE(unmount_rootfs(rootfs));
}

}  // namespace
}  // namespace shim::service
