#include "runtime/namespaces/namespaces.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include "runtime/namespaces/id_maps.hpp"
#include "runtime/namespaces/sysctl.hpp"
#include "runtime/namespaces/user_namespace.hpp"

namespace runtime::namespaces {
namespace {

using oci::NamespaceType;

oci::Linux section_with(std::vector<oci::Namespace> list) {
  oci::Linux out;
  out.namespaces = std::move(list);
  return out;
}

TEST(NamespacePlan, NewOnesAreClonedAndAbsentOnesInherited) {
  const Plan out = plan(section_with({{NamespaceType::Pid, ""}, {NamespaceType::Mount, ""}}));
  EXPECT_EQ(out.cloned, std::uint64_t{CLONE_NEWPID | CLONE_NEWNS});
  EXPECT_FALSE(out.has(CLONE_NEWNET));
  EXPECT_FALSE(out.needs_intermediate);
}

TEST(NamespacePlan, TheCgroupNamespaceIsMadeByTheProcessItself) {
  const Plan out = plan(section_with({{NamespaceType::Cgroup, ""}}));
  EXPECT_EQ(out.cloned, 0U);
  EXPECT_TRUE(out.unshares_cgroup);
  EXPECT_TRUE(out.has(CLONE_NEWCGROUP));
}

TEST(NamespacePlan, AJoinedNetworkNeedsNoIntermediateProcess) {
  const Plan out = plan(section_with({{NamespaceType::Network, "/proc/1/ns/net"}}));
  EXPECT_FALSE(out.needs_intermediate);
  ASSERT_EQ(out.joined.size(), 1U);
}

TEST(NamespacePlan, AJoinedPidNamespaceNeedsOne) {
  EXPECT_TRUE(plan(section_with({{NamespaceType::Pid, "/proc/1/ns/pid"}})).needs_intermediate);
}

TEST(NamespacePlan, ANewUserNamespaceComesAfterTheJoinedOnes) {
  EXPECT_TRUE(plan(section_with({{NamespaceType::User, ""}, {NamespaceType::Network, "/x"}}))
                  .needs_intermediate);
}

TEST(NamespacePlan, OffsetsAreLinesOfClockSecondsNanoseconds) {
  oci::Linux section = section_with({{NamespaceType::Time, ""}});
  section.time_offsets["boottime"] = {-5, 7};
  section.time_offsets["monotonic"] = {86400, 0};
  EXPECT_EQ(plan(section).time_offsets, "boottime -5 7\nmonotonic 86400 0\n");
}

TEST(OpenJoined, AFileOfAnotherTypeIsRefused) {
  const Plan wrong = plan(section_with({{NamespaceType::Network, "/proc/self/ns/uts"}}));
  const auto opened = open_joined(wrong);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind(), base::ErrorKind::Invalid);
  EXPECT_FALSE(open_joined(plan(section_with({{NamespaceType::Network, "/dev/null"}}))));
  EXPECT_TRUE(open_joined(plan(section_with({{NamespaceType::Network, "/proc/self/ns/net"}}))));
}

TEST(IdMaps, TextIsOneLineAMapping) {
  EXPECT_EQ(map_text({{0, 1000, 1}, {1, 100000, 65536}}), "0 1000 1\n1 100000 65536\n");
}

TEST(UserNamespace, OnlyTheInitialOneMapsEverything) {
  EXPECT_TRUE(maps_everything("         0          0 4294967295\n"));
  EXPECT_FALSE(maps_everything("         0       1000          1\n"));
  EXPECT_FALSE(maps_everything("0 0 65536\n"));
  EXPECT_FALSE(maps_everything("0 1000 1\n1 0 4294967294\n"));
  EXPECT_FALSE(maps_everything("0 0 4294967295\n5 5 1\n"));
  EXPECT_FALSE(maps_everything(""));
}

TEST(Sysctl, TheFirstSeparatorDecides) {
  EXPECT_EQ(sysctl_path("net.ipv4.conf.eth0/1.mtu"), "sys/net/ipv4/conf/eth0.1/mtu");
  EXPECT_EQ(sysctl_path("net/ipv4/conf/eth0.1/mtu"), "sys/net/ipv4/conf/eth0.1/mtu");
}

}  // namespace
}  // namespace runtime::namespaces
