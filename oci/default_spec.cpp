#include "oci/default_spec.hpp"

#include <algorithm>

namespace oci {
namespace {

std::vector<Mount> default_mounts() {
  const auto mount = [](const char* destination, const char* type, const char* source,
                        std::vector<std::string> options) {
    return Mount{destination, type, source, std::move(options), {}, {}};
  };
  return {
      mount("/proc", "proc", "proc", {}),
      mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
      mount("/dev/pts", "devpts", "devpts",
            {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
      mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
      mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
      mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}),
      mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}),
  };
}

Process default_process() {
  const std::vector<std::string> kept = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  Process process;
  process.terminal = true;
  process.args = {"sh"};
  process.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"};
  process.cwd = "/";
  process.capabilities = Capabilities{kept, kept, {}, kept, {}};
  process.rlimits = {{RlimitType::Nofile, 1024, 1024}};
  process.no_new_privileges = true;
  return process;
}

}  // namespace

Spec default_spec(bool cgroup_namespace) {
  Spec spec;
  spec.oci_version = kSpecVersion;
  spec.process = default_process();
  spec.root = Root{"rootfs", true};
  spec.hostname = "wherry";
  spec.mounts = default_mounts();
  Linux& section = spec.linux;
  section.resources.devices = {{false, DeviceRuleType::All, {}, {}, "rwm"}};
  section.namespaces = {{NamespaceType::Pid, {}},
                        {NamespaceType::Network, {}},
                        {NamespaceType::Ipc, {}},
                        {NamespaceType::Uts, {}},
                        {NamespaceType::Mount, {}}};
  if (cgroup_namespace) section.namespaces.push_back({NamespaceType::Cgroup, {}});
  section.masked_paths = {"/proc/acpi",        "/proc/asound",        "/proc/kcore",
                          "/proc/keys",        "/proc/latency_stats", "/proc/timer_list",
                          "/proc/timer_stats", "/proc/sched_debug",   "/sys/firmware",
                          "/proc/scsi"};
  section.readonly_paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                            "/proc/sysrq-trigger"};
  return spec;
}

void make_rootless(Spec& spec, std::uint32_t host_uid, std::uint32_t host_gid) {
  Linux& section = spec.linux;
  std::erase_if(section.namespaces, [](const Namespace& entry) {
    return entry.type == NamespaceType::Network || entry.type == NamespaceType::User;
  });
  section.namespaces.push_back({NamespaceType::User, {}});
  section.uid_mappings = {{0, host_uid, 1}};
  section.gid_mappings = {{0, host_gid, 1}};
  section.resources = {};

  for (Mount& mount : spec.mounts) {
    // sysfs belongs to the network namespace's owner, and that is the host here.
    if (mount.destination == "/sys") {
      mount = {"/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"}, {}, {}};
      continue;
    }
    // One id is mapped; no other can own anything.
    std::erase_if(mount.options, [](const std::string& option) {
      return option.starts_with("uid=") || option.starts_with("gid=");
    });
  }
}

}  // namespace oci
