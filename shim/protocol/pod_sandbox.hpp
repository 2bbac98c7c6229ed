// Of runtime.v1.PodSandboxConfig (Kubernetes' cri-api), which is the option of CreateSandbox: what
// the shim acts on.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace shim::protocol {

enum class NamespaceMode : std::int32_t { Pod = 0, Container = 1, Node = 2, Target = 3 };

struct UserNamespace {
  NamespaceMode mode = NamespaceMode::Pod;
};

struct NamespaceOption {
  NamespaceMode network = NamespaceMode::Pod;
  NamespaceMode pid = NamespaceMode::Pod;
  NamespaceMode ipc = NamespaceMode::Pod;
  std::optional<UserNamespace> userns_options;
};

struct LinuxSandboxSecurityContext {
  std::optional<NamespaceOption> namespace_options;
};

struct LinuxPodSandboxConfig {
  std::string cgroup_parent;
  std::optional<LinuxSandboxSecurityContext> security_context;
  std::map<std::string, std::string> sysctls;
};

struct DNSConfig {
  std::vector<std::string> servers;
  std::vector<std::string> searches;
  std::vector<std::string> options;
};

struct PodSandboxConfig {
  static constexpr char kTypeName[] = "runtime.v1.PodSandboxConfig";
  std::string hostname;
  std::optional<DNSConfig> dns_config;
  std::optional<LinuxPodSandboxConfig> linux;
};

}  // namespace shim::protocol
