#include "runtime/checkpoint/plan.hpp"

#include <gtest/gtest.h>
#include <sched.h>

namespace runtime::checkpoint {
namespace {

oci::Spec spec_with(std::vector<oci::Namespace> namespaces) {
  oci::Spec out;
  out.linux.namespaces = std::move(namespaces);
  return out;
}

DumpFacts facts() {
  DumpFacts out;
  out.pid = 9;
  out.root = "/r";
  out.cgroup = {{"", "/sys/fs/cgroup/unified/c"}, {"freezer", "/sys/fs/cgroup/freezer/c"}};
  out.outside = {{"/data", "/srv/data"}};
  out.masked = {"/proc/keys"};
  out.stdio = {"file[1:2]", "pipe:[3]", "file[1:2]"};
  out.namespaces = {{"net", 77}, {"pid", 78}};
  return out;
}

rootfs::PlannedMount mount(rootfs::MountKind kind, const char* destination, const char* source) {
  rootfs::PlannedMount out;
  out.kind = kind;
  out.destination = destination;
  out.source = source;
  return out;
}

TEST(OutsideMounts, AreBindsAndCgroupsOfTheHost) {
  rootfs::RootfsPlan plan;
  plan.mounts = {mount(rootfs::MountKind::FileSystem, "/proc", "proc"),
                 mount(rootfs::MountKind::Bind, "/data", "/srv/data"),
                 mount(rootfs::MountKind::Cgroup, "/sys/fs/cgroup", "cgroup")};
  plan.cgroups = {{"memory", "/sys/fs/cgroup/memory/c"}};
  plan.devices = {{"/dev/null", 0, 1, 3, 0, 0}};

  EXPECT_EQ(outside_mounts(plan),
            (std::vector<Pair>{{"/data", "/srv/data"},
                               {"/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/c"}}));

  plan.is_cgroup_v2 = true;
  plan.binds_devices = true;
  EXPECT_EQ(outside_mounts(plan), (std::vector<Pair>{{"/data", "/srv/data"},
                                                     {"/sys/fs/cgroup", "/sys/fs/cgroup/memory/c"},
                                                     {"/dev/null", "/dev/null"}}));
}

TEST(Dump, NamesMountsByTheirPlaceAndMaskedFilesByTheNullDevice) {
  const RpcOptions plan = plan_dump({}, spec_with({}), facts());

  EXPECT_EQ(plan.external_mounts,
            (std::vector<Pair>{{"/data", "/data"}, {"/proc/keys", "/dev/null"}}));
  EXPECT_EQ(plan.freezer, "/sys/fs/cgroup/freezer/c");
  EXPECT_EQ(plan.empty_namespaces, std::uint64_t{CLONE_NEWNET});
}

TEST(Dump, FilesOfStdioAndNamespacesWithAPathAreExternal) {
  const RpcOptions plan = plan_dump(
      {}, spec_with({{oci::NamespaceType::Network, "/run/netns/x"}, {oci::NamespaceType::Pid, ""}}),
      facts());

  EXPECT_EQ(plan.external, (std::vector<std::string>{"net[77]:extRootNetNS", "file[1:2]"}));
}

TEST(Dump, APreDumpLeavesMountsAlone) {
  Options options;
  options.pre_dump = true;
  options.parent_path = "../first";

  const RpcOptions plan = plan_dump(options, spec_with({}), facts());

  EXPECT_TRUE(plan.external_mounts.empty());
  EXPECT_EQ(plan.parent_image, "../first");
}

TEST(Dump, OnV2TheFreezerIsTheCgroupItself) {
  DumpFacts only_v2 = facts();
  only_v2.cgroup.erase("freezer");

  EXPECT_EQ(plan_dump({}, spec_with({}), only_v2).freezer, "/sys/fs/cgroup/unified/c");
}

TEST(Restore, BindsStandardDescriptorsAndNamespacesAgain) {
  RestoreFacts facts;
  facts.root = "/m";
  facts.stdio = {"pipe:[3]", "file[1:2]", "file[1:2]"};
  facts.passed = {"extRootNetNS"};
  const oci::Spec spec = spec_with(
      {{oci::NamespaceType::Network, "/run/netns/x"}, {oci::NamespaceType::Ipc, "/proc/7/ns/ipc"}});

  const RpcOptions plan = plan_restore({}, spec, facts);

  EXPECT_EQ(plan.inherited, (std::vector<InheritedDescriptor>{
                                {"extRootNetNS", 4}, {"pipe:[3]", 0}, {"file[1:2]", 1}}));
  EXPECT_EQ(plan.joined_namespaces, (std::vector<Pair>{{"ipc", "/proc/7/ns/ipc"}}));
  EXPECT_TRUE(plan.restore_as_sibling);
}

TEST(Restore, ACgroupNamespaceCannotBeJoined) {
  EXPECT_FALSE(outside_namespaces(spec_with({{oci::NamespaceType::Cgroup, "/proc/7/ns/cgroup"}})));
  EXPECT_TRUE(outside_namespaces(spec_with({{oci::NamespaceType::Cgroup, ""}})));
}

TEST(ConfigFile, TheAnnotationReplacesTheDefaultAndMayBeEmpty) {
  oci::Spec spec;
  EXPECT_EQ(plan_dump({}, spec, facts()).config_file, "/etc/criu/runc.conf");
  spec.annotations["org.criu.config"] = "/x";
  EXPECT_EQ(plan_dump({}, spec, facts()).config_file, "/x");
  spec.annotations["org.criu.config"] = "";
  EXPECT_EQ(plan_dump({}, spec, facts()).config_file, "");
}

TEST(CgroupRoots, HaveOneEntryForEachController) {
  EXPECT_EQ(
      parse_cgroup_roots("4:cpu,cpuacct:/c\n1:name=systemd:/s\n0::/u:x\nbroken\n"),
      (std::vector<Pair>{{"cpu", "/c"}, {"cpuacct", "/c"}, {"name=systemd", "/s"}, {"", "/u:x"}}));
}

TEST(PageServer, NeedsAddressAndPort) {
  const auto good = parse_page_server("[::1]:27");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->address, "::1");
  EXPECT_EQ(good->port, 27);
  for (const char* bad : {"", "x", ":1", "x:", "x:0", "x:65536", "x:1y"}) {
    EXPECT_FALSE(parse_page_server(bad)) << bad;
  }
}

TEST(CgroupMode, IsOneOfRuncs) {
  EXPECT_EQ(parse_cgroup_mode("ignore").value_or(CgroupMode::Full), CgroupMode::Ignore);
  EXPECT_EQ(parse_cgroup_mode("").value_or(CgroupMode::Full), CgroupMode::Default);
  EXPECT_FALSE(parse_cgroup_mode("none"));
}

}  // namespace
}  // namespace runtime::checkpoint
