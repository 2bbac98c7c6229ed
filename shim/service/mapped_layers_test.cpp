#include "shim/service/mapped_layers.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.hpp"
#include "base/temp_dir.hpp"
#include "shim/service/rootfs_mounts.hpp"

namespace shim::service {
namespace {

TEST(MappedLayers, BothOptionsAreTakenOutOfTheOthers) {
  std::vector<std::string> parameters = {"uidmap=0:1000:10,20:5000:1", "lowerdir=/a",
                                         "gidmap=0:2000:10"};
  const auto maps = take_layer_maps(parameters);
  ASSERT_TRUE(maps);
  ASSERT_EQ(maps->uids.size(), 2U);
  EXPECT_EQ(maps->uids[1].container_id, 20U);
  EXPECT_EQ(maps->uids[1].host_id, 5000U);
  EXPECT_EQ(maps->uids[1].size, 1U);
  ASSERT_EQ(maps->gids.size(), 1U);
  EXPECT_EQ(maps->gids[0].host_id, 2000U);
  EXPECT_EQ(parameters, std::vector<std::string>{"lowerdir=/a"});
}

TEST(MappedLayers, WhatIsNoMappingIsRefused) {
  for (const char* text : {"uidmap=0:1000", "uidmap=0:1000:0", "uidmap=0:1000:1:1", "uidmap=a:1:1",
                           "uidmap=-1:1:1", "uidmap=0:5000000000:1", "uidmap=0:1000:10"}) {
    std::vector<std::string> parameters = {text};
    EXPECT_FALSE(take_layer_maps(parameters)) << text;
  }
}

// What containerd sends for a pod with a user namespace.
TEST(MappedLayers, FilesOfTheLayersBelongToTheMappedUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const base::TempDir directory;
  const std::string base = directory.path();
  for (const char* name : {"/rootfs", "/lower1", "/lower2", "/upper", "/work"}) {
    ASSERT_EQ(::mkdir((base + name).c_str(), 0755), 0);
  }
  ASSERT_TRUE(base::write_atomic(base + "/lower1/one", "x", 0644));
  ASSERT_TRUE(base::write_atomic(base + "/lower2/two", "x", 0644));
  const auto overlay = [&](const std::string& map) {
    return protocol::Mount{
        "overlay",
        "overlay",
        "",
        {"uidmap=" + map, "gidmap=" + map, "index=off", "workdir=" + base + "/work",
         "upperdir=" + base + "/upper", "lowerdir=" + base + "/lower1:" + base + "/lower2"}};
  };
  const std::string rootfs = base + "/rootfs";
  const base::Result<void> mounted = mount_rootfs({overlay("0:1000:100")}, rootfs);
  ASSERT_TRUE(mounted) << mounted.error().message();
  for (const char* name : {"/one", "/two"}) {
    struct stat status{};
    EXPECT_EQ(::stat((rootfs + name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_uid, 1000U);
    EXPECT_EQ(status.st_gid, 1000U);
  }
  EXPECT_NE(::access((rootfs + "/merged").c_str(), F_OK), 0);
  ASSERT_TRUE(unmount_rootfs(rootfs));
  EXPECT_NE(::access((rootfs + "/one").c_str(), F_OK), 0);
  EXPECT_FALSE(mount_rootfs({overlay("0:1000:100"), {"no-such-type", "none", "", {}}}, rootfs));
  EXPECT_NE(::access((rootfs + "/one").c_str(), F_OK), 0);
  EXPECT_NE(::access((rootfs + "/0").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace shim::service
