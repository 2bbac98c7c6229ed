#include "shim/service/pod_files.hpp"

#include <gtest/gtest.h>

namespace shim::service {
namespace {

const oci::Mount* find(const oci::Spec& spec, const std::string& destination) {
  const oci::Mount* out = nullptr;
  for (const oci::Mount& each : spec.mounts) {
    if (each.destination != destination) continue;
    EXPECT_EQ(out, nullptr) << destination << " comes twice";
    out = &each;
  }
  return out;
}

oci::Mount mount_of(const char* destination, const char* type, const char* source) {
  oci::Mount out;
  out.destination = destination;
  out.type = type;
  out.source = source;
  return out;
}

TEST(ResolvConf, HasWhatThePodAsksForAndIsEmptyWhenThatIsNothing) {
  EXPECT_EQ(resolv_conf({{"10.0.0.10", "::1"}, {"a.local", "local"}, {"ndots:5", "rotate"}}),
            "search a.local local\nnameserver 10.0.0.10\nnameserver ::1\noptions ndots:5 rotate\n");
  EXPECT_EQ(resolv_conf({}), "");
}

TEST(AddPodMounts, GivesTheFilesThatAContainerDoesNotHaveItself) {
  oci::Spec spec;
  spec.root = oci::Root{"rootfs", true};
  spec.mounts = {mount_of("/etc/hosts", "bind", "/var/lib/kubelet/hosts")};
  add_pod_mounts(spec, {"/pod", false});
  EXPECT_EQ(find(spec, "/etc/hosts")->source, "/var/lib/kubelet/hosts");
  ASSERT_NE(find(spec, "/etc/resolv.conf"), nullptr);
  EXPECT_EQ(find(spec, "/etc/resolv.conf")->source, "/pod/resolv.conf");
  EXPECT_EQ(find(spec, "/etc/hostname")->options,
            (std::vector<std::string>{"rbind", "rprivate", "ro"}));
  EXPECT_EQ(find(spec, "/dev/shm"), nullptr);
}

TEST(AddPodMounts, ThePodsSharedMemoryTakesThePlaceOfAPrivateOneOnly) {
  oci::Spec spec;
  spec.mounts = {mount_of("/dev", "tmpfs", "tmpfs"), mount_of("/dev/shm", "tmpfs", "shm")};
  add_pod_mounts(spec, {"/pod", true});
  EXPECT_EQ(find(spec, "/dev/shm")->source, "/pod/shm");
  oci::Spec other;
  other.mounts = {mount_of("/dev/shm", "bind", "/volume")};
  add_pod_mounts(other, {"/pod", true});
  EXPECT_EQ(find(other, "/dev/shm")->source, "/volume");
}

}  // namespace
}  // namespace shim::service
