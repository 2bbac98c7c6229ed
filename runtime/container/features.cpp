#include "runtime/container/features.hpp"

#include <string_view>

#include "runtime/rootfs/mount_plan.hpp"
#include "runtime/security/capabilities.hpp"

namespace runtime::container {

oci::Features supported_features() {
  oci::Features features = oci::spec_features();
  for (const std::string_view name : rootfs::option_names()) {
    features.mount_options.emplace_back(name);
  }
  oci::LinuxFeatures& section = features.linux;
  for (const std::string_view name : security::capability_names()) {
    section.capabilities.emplace_back(name);
  }
  section.cgroup = {.v1 = true, .v2 = true, .systemd = true, .systemd_user = true, .rdma = true};
  section.seccomp.enabled = true;
  section.seccomp.supported_flags = section.seccomp.known_flags;
  section.apparmor_enabled = true;
  section.selinux_enabled = true;
  section.intel_rdt = {.enabled = true, .schemata = true, .monitoring = true};
  section.net_devices_enabled = true;
  section.idmap_enabled = true;
  return features;
}

}  // namespace runtime::container
