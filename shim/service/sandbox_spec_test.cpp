#include "shim/service/sandbox_spec.hpp"

#include <gtest/gtest.h>

#include "oci/validate.hpp"

namespace shim::service {
namespace {

using protocol::NamespaceMode;

protocol::CreateSandboxRequest request() {
  protocol::CreateSandboxRequest out;
  out.sandbox_id = "pod1";
  out.netns_path = "/run/netns/x";
  return out;
}

protocol::PodSandboxConfig with(const protocol::NamespaceOption& modes) {
  protocol::PodSandboxConfig out;
  out.hostname = "web-0";
  out.linux.emplace();
  out.linux->cgroup_parent = "/kubepods/pod1234";
  out.linux->security_context.emplace();
  out.linux->security_context->namespace_options = modes;
  return out;
}

const std::string* path_of(const oci::Spec& spec, oci::NamespaceType type) {
  const oci::Namespace* const found = spec.linux.find_namespace(type);
  return found == nullptr ? nullptr : &found->path;
}

TEST(SandboxSpec, APodHasItsOwnNamespacesAndTheNetworkThatContainerdMade) {
  const oci::Spec spec = sandbox_spec(request(), with({}), "");
  EXPECT_TRUE(oci::validate(spec));
  for (const auto type :
       {oci::NamespaceType::Ipc, oci::NamespaceType::Uts, oci::NamespaceType::Pid}) {
    ASSERT_NE(path_of(spec, type), nullptr);
    EXPECT_EQ(*path_of(spec, type), "");
  }
  EXPECT_EQ(*path_of(spec, oci::NamespaceType::Network), "/run/netns/x");
  EXPECT_EQ(path_of(spec, oci::NamespaceType::User), nullptr);
  EXPECT_EQ(spec.hostname, "web-0");
  EXPECT_EQ(spec.linux.cgroups_path, "/kubepods/pod1234/pod1");
  EXPECT_EQ(spec.linux.sysctl.at("net.ipv4.ip_unprivileged_port_start"), "0");
}

TEST(SandboxSpec, AHostsPodHasNoneAndNoSysctls) {
  const oci::Spec spec = sandbox_spec(
      request(), with({NamespaceMode::Node, NamespaceMode::Node, NamespaceMode::Node, {}}), "");
  EXPECT_TRUE(oci::validate(spec));
  for (const auto type : {oci::NamespaceType::Ipc, oci::NamespaceType::Uts, oci::NamespaceType::Pid,
                          oci::NamespaceType::Network}) {
    EXPECT_EQ(path_of(spec, type), nullptr);
  }
  EXPECT_EQ(spec.hostname, "");
  EXPECT_TRUE(spec.linux.sysctl.empty());
}

TEST(SandboxSpec, AUserNamespaceIsJoinedAndItsPingsAreNotTheHosts) {
  const oci::Spec spec = sandbox_spec(request(), with({}), "/proc/self/fd/9");
  EXPECT_TRUE(oci::validate(spec));
  EXPECT_EQ(*path_of(spec, oci::NamespaceType::User), "/proc/self/fd/9");
  EXPECT_FALSE(spec.linux.sysctl.contains("net.ipv4.ping_group_range"));
}

TEST(SandboxSpec, ASliceIsNamedAsContainerdNamesIt) {
  protocol::PodSandboxConfig config = with({});
  config.linux->cgroup_parent = "/kubepods.slice/kubepods-pod1.slice";
  EXPECT_EQ(sandbox_spec(request(), config, "").linux.cgroups_path,
            "kubepods-pod1.slice:cri-containerd:pod1");
  EXPECT_EQ(sandbox_spec(request(), {}, "").linux.cgroups_path, "/pod1");
}

TEST(SandboxSpec, TheUsersSysctlsStandAboveTheDefaults) {
  protocol::PodSandboxConfig config = with({});
  config.linux->sysctls = {{"net.ipv4.ip_unprivileged_port_start", "100"}, {"kernel.shmmax", "1"}};
  const oci::Spec spec = sandbox_spec(request(), config, "");
  EXPECT_EQ(spec.linux.sysctl.at("net.ipv4.ip_unprivileged_port_start"), "100");
  EXPECT_EQ(spec.linux.sysctl.at("kernel.shmmax"), "1");
}

}  // namespace
}  // namespace shim::service
