// The features document: runtime-spec 1.3.0 features.md and features-linux.md. The runtime fills it
// with what it implements; an absent optional means "unknown", not "no".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace oci {

struct CgroupFeatures {
  std::optional<bool> v1;
  std::optional<bool> v2;
  std::optional<bool> systemd;
  std::optional<bool> systemd_user;
  std::optional<bool> rdma;
};

struct SeccompFeatures {
  std::optional<bool> enabled;
  std::vector<std::string> actions;
  std::vector<std::string> operators;
  std::vector<std::string> archs;
  std::vector<std::string> known_flags;
  std::vector<std::string> supported_flags;
};

struct IntelRdtFeatures {
  std::optional<bool> enabled;
  std::optional<bool> schemata;
  std::optional<bool> monitoring;
};

struct MemoryPolicyFeatures {
  std::vector<std::string> modes;
  std::vector<std::string> flags;
};

struct LinuxFeatures {
  std::vector<std::string> namespaces;
  std::vector<std::string> capabilities;
  CgroupFeatures cgroup;
  SeccompFeatures seccomp;
  std::optional<bool> apparmor_enabled;
  std::optional<bool> selinux_enabled;
  IntelRdtFeatures intel_rdt;
  MemoryPolicyFeatures memory_policy;
  std::optional<bool> idmap_enabled;
  std::optional<bool> net_devices_enabled;
};

struct Features {
  std::string oci_version_min;
  std::string oci_version_max;
  std::vector<std::string> hooks;
  std::vector<std::string> mount_options;
  LinuxFeatures linux;
  std::map<std::string, std::string> annotations;
  std::vector<std::string> potentially_unsafe_config_annotations;
};

/// What follows from the specification alone is filled in: versions, hooks, namespaces, the names
/// of seccomp and memory policy. Mount options, capabilities and the switches are the runtime's.
Features spec_features();

std::string to_json(const Features& features, std::string_view indent = {});

}  // namespace oci
