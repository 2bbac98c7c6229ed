#include "oci/features.hpp"

#include "oci/field_writer.hpp"
#include "oci/names.hpp"

namespace oci {
namespace {

template <typename E>
std::vector<std::string> all_names() {
  std::vector<std::string> out;
  for (const NamedValue<E>& entry : names<E>().entries) out.emplace_back(entry.name);
  return out;
}

// features-linux.md nests single switches in objects: {"apparmor": {"enabled": true}}.
struct Switch {
  const std::optional<bool>& enabled;
};

struct MountExtensions {
  Switch idmap;
};

}  // namespace

void fields(auto& visit, Is<CgroupFeatures> auto& cgroup) {
  visit.field("v1", cgroup.v1);
  visit.field("v2", cgroup.v2);
  visit.field("systemd", cgroup.systemd);
  visit.field("systemdUser", cgroup.systemd_user);
  visit.field("rdma", cgroup.rdma);
}

void fields(auto& visit, Is<SeccompFeatures> auto& seccomp) {
  visit.field("enabled", seccomp.enabled);
  visit.field("actions", seccomp.actions);
  visit.field("operators", seccomp.operators);
  visit.field("archs", seccomp.archs);
  visit.field("knownFlags", seccomp.known_flags);
  visit.field("supportedFlags", seccomp.supported_flags);
}

void fields(auto& visit, Is<IntelRdtFeatures> auto& rdt) {
  visit.field("enabled", rdt.enabled);
  visit.field("schemata", rdt.schemata);
  visit.field("monitoring", rdt.monitoring);
}

void fields(auto& visit, Is<MemoryPolicyFeatures> auto& policy) {
  visit.field("modes", policy.modes);
  visit.field("flags", policy.flags);
}

void fields(auto& visit, Is<Switch> auto& one) { visit.field("enabled", one.enabled); }

void fields(auto& visit, Is<MountExtensions> auto& extensions) {
  visit.field("idmap", extensions.idmap);
}

void fields(auto& visit, Is<LinuxFeatures> auto& section) {
  visit.field("namespaces", section.namespaces);
  visit.field("capabilities", section.capabilities);
  visit.field("cgroup", section.cgroup);
  visit.field("seccomp", section.seccomp);
  visit.field("apparmor", Switch{section.apparmor_enabled});
  visit.field("selinux", Switch{section.selinux_enabled});
  visit.field("intelRdt", section.intel_rdt);
  visit.field("memoryPolicy", section.memory_policy);
  visit.field("mountExtensions", MountExtensions{{section.idmap_enabled}});
  visit.field("netDevices", Switch{section.net_devices_enabled});
}

void fields(auto& visit, Is<Features> auto& features) {
  visit.field("ociVersionMin", features.oci_version_min);
  visit.field("ociVersionMax", features.oci_version_max);
  visit.field("hooks", features.hooks);
  visit.field("mountOptions", features.mount_options);
  visit.field("linux", features.linux);
  visit.field("annotations", features.annotations);
  visit.field("potentiallyUnsafeConfigAnnotations", features.potentially_unsafe_config_annotations);
}

Features spec_features() {
  Features features;
  features.oci_version_min = "1.0.0";
  features.oci_version_max = kSpecVersion;
  features.hooks = {"prestart",       "createRuntime", "createContainer",
                    "startContainer", "poststart",     "poststop"};
  LinuxFeatures& section = features.linux;
  section.namespaces = all_names<NamespaceType>();
  section.seccomp.actions = all_names<SeccompAction>();
  section.seccomp.operators = all_names<SeccompOperator>();
  section.seccomp.archs = all_names<SeccompArch>();
  section.seccomp.known_flags = all_names<SeccompFlag>();
  section.memory_policy.modes = all_names<MemoryPolicyMode>();
  section.memory_policy.flags = all_names<MemoryPolicyFlag>();
  return features;
}

std::string to_json(const Features& features, std::string_view indent) {
  return write_document(features, indent);
}

}  // namespace oci
