// wherry features: what this runtime does, for callers that ask before they use it. A switch is on
// only if the code is there; what this kernel or host lacks is not looked at (features.md).
#include "oci/features.hpp"

#include "runtime/cli/commands.hpp"
#include "runtime/rootfs/mount_plan.hpp"
#include "runtime/security/capabilities.hpp"

namespace runtime::cli {
namespace {

base::Result<int> run(const Invocation&) {
  oci::Features features = oci::spec_features();
  for (const std::string_view name : rootfs::option_names()) {
    features.mount_options.emplace_back(name);
  }
  oci::LinuxFeatures& section = features.linux;
  for (const std::string_view name : security::capability_names()) {
    section.capabilities.emplace_back(name);
  }
  section.cgroup = {.v1 = true, .v2 = true, .systemd = false, .systemd_user = false, .rdma = true};
  section.seccomp.enabled = true;
  section.seccomp.supported_flags = section.seccomp.known_flags;
  section.apparmor_enabled = true;
  section.selinux_enabled = true;
  section.intel_rdt.enabled = false;
  section.net_devices_enabled = false;
  section.idmap_enabled = true;
  print(oci::to_json(features, "  ") + '\n');
  return 0;
}

}  // namespace

constinit const Command kFeatures{
    .name = "features",
    .synopsis = "",
    .summary = "print what this runtime supports",
    .description = "Prints the features document of the runtime specification.",
    .run = run,
};

}  // namespace runtime::cli
