// Field numbers of runtime.v1.PodSandboxConfig.
#include "shim/protocol/pod_sandbox.hpp"

#include "shim/protocol/message_codec.hpp"

namespace shim::protocol {

void fields(auto& visit, Is<UserNamespace> auto& m) { visit(1, m.mode); }

void fields(auto& visit, Is<NamespaceOption> auto& m) {
  visit(1, m.network);
  visit(2, m.pid);
  visit(3, m.ipc);
  visit(5, m.userns_options);
}

void fields(auto& visit, Is<LinuxSandboxSecurityContext> auto& m) { visit(1, m.namespace_options); }

void fields(auto& visit, Is<LinuxPodSandboxConfig> auto& m) {
  visit(1, m.cgroup_parent);
  visit(2, m.security_context);
  visit(3, m.sysctls);
}

void fields(auto& visit, Is<DNSConfig> auto& m) {
  visit(1, m.servers);
  visit(2, m.searches);
  visit(3, m.options);
}

void fields(auto& visit, Is<PodSandboxConfig> auto& m) {
  visit(2, m.hostname);
  visit(4, m.dns_config);
  visit(8, m.linux);
}

MESSAGE(UserNamespace);
MESSAGE(NamespaceOption);
MESSAGE(LinuxSandboxSecurityContext);
MESSAGE(LinuxPodSandboxConfig);
MESSAGE(DNSConfig);
MESSAGE(PodSandboxConfig);

}  // namespace shim::protocol
