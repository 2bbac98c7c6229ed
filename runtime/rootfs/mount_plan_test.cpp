#include "runtime/rootfs/mount_plan.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>

namespace runtime::rootfs {
namespace {

oci::Spec spec_with(oci::Mount mount) {
  oci::Spec out;
  out.root = oci::Root{"rootfs", true};
  out.mounts.push_back(std::move(mount));
  return out;
}

TEST(CleanPath, ParentsNeverLeaveTheRoot) {
  EXPECT_EQ(clean_path("/a/./b//../c"), "/a/c");
  EXPECT_EQ(clean_path("../../etc"), "/etc");
  EXPECT_EQ(clean_path(""), "/");
}

TEST(ParseOptions, TheLaterOfTwoOppositesWins) {
  EXPECT_EQ(parse_options({"ro", "rw"}).attributes.set & MOUNT_ATTR_RDONLY, 0U);
  EXPECT_NE(parse_options({"rw", "ro"}).attributes.set & MOUNT_ATTR_RDONLY, 0U);
}

TEST(ParseOptions, RecursiveAttributesAreKeptApart) {
  const MountOptions out = parse_options({"rbind", "rro"});
  EXPECT_TRUE(out.is_bind);
  EXPECT_TRUE(out.is_recursive_bind);
  EXPECT_TRUE(out.attributes.empty());
  EXPECT_EQ(out.recursive_attributes.set, std::uint64_t{MOUNT_ATTR_RDONLY});
}

TEST(ParseOptions, UnknownOnesGoToTheFileSystem) {
  const MountOptions out = parse_options({"nosuid", "size=64k", "mode=755"});
  EXPECT_EQ(out.parameters, (std::vector<std::string>{"size=64k", "mode=755"}));
}

TEST(BindAttributes, WithoutOptionsNothingChanges) {
  EXPECT_TRUE(bind_attributes(parse_options({"rbind", "rprivate", "rro"})).empty());
}

TEST(BindAttributes, OneOptionSettlesTheOthersButNotTheTimes) {
  const Attributes out = bind_attributes(parse_options({"bind", "ro", "dev", "atime"}));
  EXPECT_EQ(out.set, std::uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(out.clear, std::uint64_t{MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                                     0x00200000});  // MOUNT_ATTR_NOSYMFOLLOW
}

TEST(BindAttributes, AnyWayOfKeepingTimesSettlesAllOfThem) {
  const Attributes out = bind_attributes(parse_options({"bind", "nodiratime", "norelatime"}));
  EXPECT_EQ(out.set, std::uint64_t{MOUNT_ATTR_NODIRATIME});
  EXPECT_EQ(out.clear & MOUNT_ATTR__ATIME, std::uint64_t{MOUNT_ATTR__ATIME});
  EXPECT_TRUE((bind_attributes(parse_options({"noatime", "atime"})).clear & MOUNT_ATTR__ATIME) ==
              0);
}

TEST(LockedBindAttributes, OnlyWhatIsNotLockedIsCleared) {
  const auto out = locked_bind_attributes(parse_options({"bind", "nosuid", "symfollow"}),
                                          MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->set, std::uint64_t{MOUNT_ATTR_NOSUID});
  EXPECT_EQ(out->clear, std::uint64_t{0x00200000});
}

TEST(LockedBindAttributes, AnOptionAgainstALockedFlagIsRefused) {
  EXPECT_FALSE(locked_bind_attributes(parse_options({"bind", "rw"}), MOUNT_ATTR_RDONLY));
  EXPECT_FALSE(locked_bind_attributes(parse_options({"bind", "relatime"}), MOUNT_ATTR_NOATIME));
  EXPECT_TRUE(locked_bind_attributes(parse_options({"bind", "noatime"}), MOUNT_ATTR_NOATIME));
}

TEST(PlanRootfs, ADestinationThatNamesTheRootIsInsideIt) {
  const auto out = plan_rootfs(spec_with({"/b/rootfs/x", "tmpfs", "tmpfs", {}, {}, {}}), "/b");
  ASSERT_TRUE(out);
  EXPECT_EQ(out->mounts[0].destination, "/x");
}

TEST(PlanRootfs, PathsStartAtTheBundle) {
  const auto out = plan_rootfs(spec_with({"/data", "bind", "volume", {"bind"}, {}, {}}), "/b");
  ASSERT_TRUE(out);
  EXPECT_EQ(out->root, "/b/rootfs");
  EXPECT_TRUE(out->is_readonly);
  ASSERT_EQ(out->mounts.size(), 1U);
  EXPECT_EQ(out->mounts[0].kind, MountKind::Bind);
  EXPECT_EQ(out->mounts[0].source, "/b/volume");
}

TEST(PlanRootfs, NothingIsMountedInsideProcButWhatLxcfsHas) {
  const auto refused = plan_rootfs(spec_with({"/proc/self/attr", "tmpfs", "", {}, {}, {}}), "/b");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), base::ErrorKind::Invalid);
  EXPECT_FALSE(plan_rootfs(spec_with({"/x/../proc/sys", "tmpfs", "", {}, {}, {}}), "/b"));
  EXPECT_TRUE(plan_rootfs(spec_with({"/proc/meminfo", "bind", "/m", {"bind"}, {}, {}}), "/b"));
}

TEST(PlanRootfs, ADeviceOfTheSpecReplacesTheDefault) {
  oci::Spec spec = spec_with({"/dev", "tmpfs", "tmpfs", {}, {}, {}});
  oci::Device device;
  device.path = "/dev/null";
  device.major = 1;
  device.minor = 3;
  device.file_mode = 0600;
  spec.linux.devices.push_back(device);
  const auto out = plan_rootfs(spec, "/b");
  ASSERT_TRUE(out);
  EXPECT_EQ(std::ranges::count(out->devices, "/dev/null", &DeviceNode::path), 1);
  EXPECT_EQ(std::ranges::find(out->devices, "/dev/null", &DeviceNode::path)->mode,
            std::uint32_t{S_IFCHR | 0600});
}

TEST(PlanRootfs, TheRootKeepsItsPropagationUnlessAskedFor) {
  oci::Spec spec = spec_with({"/tmp", "tmpfs", "tmpfs", {}, {}, {}});
  EXPECT_FALSE(plan_rootfs(spec, "/b")->root_propagation);
  spec.linux.rootfs_propagation = "shared";
  const auto out = plan_rootfs(spec, "/b");
  ASSERT_TRUE(out && out->root_propagation);
  EXPECT_EQ(out->root_propagation->type, std::uint64_t{MS_SHARED});
}

}  // namespace
}  // namespace runtime::rootfs
