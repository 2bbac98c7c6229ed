#include "shim/service/sandbox_spec.hpp"

namespace shim::service {
namespace {

using protocol::NamespaceMode;

/// The pause image's user.
constexpr std::uint32_t kNobody = 65535;
/// What containerd gives a pause container: the least.
constexpr std::uint64_t kShares = 2;

/// As containerd names a pause container's.
std::string cgroups_path(const std::string& parent, const std::string& id) {
  if (parent.empty()) return "/" + id;
  const std::string base = parent.substr(parent.rfind('/') + 1);
  return base.ends_with(".slice") ? base + ":cri-containerd:" + id : parent + "/" + id;
}

std::map<std::string, std::string> sysctls(const protocol::PodSandboxConfig& config,
                                           bool has_user_namespace) {
  std::map<std::string, std::string> out;
  if (config.linux) out = config.linux->sysctls;
  if (namespaces_of(config).network == NamespaceMode::Node) return out;
  out.try_emplace("net.ipv4.ip_unprivileged_port_start", "0");
  // The whole range is not one that a user namespace maps.
  if (!has_user_namespace) out.try_emplace("net.ipv4.ping_group_range", "0 2147483647");
  return out;
}

}  // namespace

protocol::NamespaceOption namespaces_of(const protocol::PodSandboxConfig& config) {
  if (!config.linux || !config.linux->security_context) return {};
  return config.linux->security_context->namespace_options.value_or(protocol::NamespaceOption{});
}

oci::Spec sandbox_spec(const protocol::CreateSandboxRequest& request,
                       const protocol::PodSandboxConfig& config,
                       const std::string& user_namespace) {
  const protocol::NamespaceOption modes = namespaces_of(config);
  oci::Spec out;
  out.oci_version = oci::kSpecVersion;
  out.root = oci::Root{kPauseRoot, true};
  oci::Process process;
  process.args = {kPauseName};
  process.cwd = "/";
  process.user.uid = kNobody;
  process.user.gid = kNobody;
  process.no_new_privileges = true;
  process.capabilities.emplace();
  out.process = std::move(process);
  // The devices that every container has go here.
  oci::Mount dev;
  dev.destination = "/dev";
  dev.type = "tmpfs";
  dev.source = "tmpfs";
  dev.options = {"nosuid", "mode=755", "size=64k"};
  out.mounts.push_back(std::move(dev));
  out.annotations = request.annotations;
  auto& namespaces = out.linux.namespaces;
  namespaces.push_back({oci::NamespaceType::Mount, ""});
  if (modes.ipc == NamespaceMode::Pod) namespaces.push_back({oci::NamespaceType::Ipc, ""});
  // Processes of containers with pid namespaces of their own need none here.
  if (modes.pid == NamespaceMode::Pod) namespaces.push_back({oci::NamespaceType::Pid, ""});
  if (modes.network != NamespaceMode::Node) {
    namespaces.push_back({oci::NamespaceType::Uts, ""});
    namespaces.push_back({oci::NamespaceType::Network, request.netns_path});
    out.hostname = config.hostname;
  }
  if (!user_namespace.empty()) namespaces.push_back({oci::NamespaceType::User, user_namespace});
  out.linux.sysctl = sysctls(config, !user_namespace.empty());
  out.linux.cgroups_path =
      cgroups_path(config.linux ? config.linux->cgroup_parent : "", request.sandbox_id);
  out.linux.resources.cpu.shares = kShares;
  return out;
}

}  // namespace shim::service
