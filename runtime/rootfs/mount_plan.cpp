#include "runtime/rootfs/mount_plan.hpp"

#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

namespace runtime::rootfs {
namespace {

// What LXCFS puts there, and what checkpointing needs; anything else below /proc would let an image
// redirect the runtime's own writes (CVE-2019-16884).
constexpr std::array<std::string_view, 11> kAllowedInProc = {
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/slabinfo",
    "/proc/net/dev",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/sys/crypto/fips_enabled",
};

// runtime-spec config-linux.md "Default Devices"; ptmx and console are made with the terminal.

std::vector<DeviceNode> default_devices() {
  const auto character = [](const char* path, std::uint32_t major, std::uint32_t minor) {
    return DeviceNode{path, S_IFCHR | 0666, major, minor, 0, 0};
  };
  return {character("/dev/null", 1, 3),    character("/dev/zero", 1, 5),
          character("/dev/full", 1, 7),    character("/dev/random", 1, 8),
          character("/dev/urandom", 1, 9), character("/dev/tty", 5, 0)};
}

std::uint32_t file_type(oci::DeviceType type) {
  switch (type) {
    case oci::DeviceType::Block:
      return S_IFBLK;
    case oci::DeviceType::Fifo:
      return S_IFIFO;
    default:
      return S_IFCHR;
  }
}

std::string absolute(const std::string& path, const std::string& base) {
  return clean_path(path.starts_with('/') ? path : base + "/" + path);
}

bool is_below(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) && path.size() > directory.size() &&
         path[directory.size()] == '/';
}

/// Callers of old give destinations as paths of the host, below the root.
std::string strip_root(const std::string& path, const std::string& root) {
  return is_below(path, root) ? path.substr(root.size()) : path;
}

base::Result<PlannedMount> plan_mount(const oci::Mount& mount, std::size_t index,
                                      const std::string& bundle, const std::string& root) {
  const auto invalid = [index](std::string_view member, std::string_view reason) {
    return base::fail(
        base::ErrorKind::Invalid,
        "mounts[" + std::to_string(index) + "]" + std::string(member) + ": " + std::string(reason));
  };
  PlannedMount out;
  out.destination = strip_root(clean_path(mount.destination), root);
  out.type = mount.type;
  out.source = mount.source;
  out.options = parse_options(mount.options);
  out.uid_mappings = mount.uid_mappings;
  out.gid_mappings = mount.gid_mappings;
  if (out.options.is_bind || mount.type == "bind") {
    if (mount.source.empty()) return invalid(".source", "a bind mount needs a source");
    if (mount.type == "bind") out.options.is_bind = true;
    out.kind = MountKind::Bind;
    out.source = absolute(mount.source, bundle);
  }
  if (out.options.is_remount) out.kind = MountKind::Remount;
  if (out.kind == MountKind::FileSystem && (mount.type == "cgroup" || mount.type == "cgroup2")) {
    out.kind = MountKind::Cgroup;
  }
  if (out.kind != MountKind::Bind && out.options.is_idmap) {
    return invalid(".options", "idmap works with bind mounts only");
  }
  const bool in_proc = is_below(out.destination, "/proc");
  if (in_proc && std::ranges::find(kAllowedInProc, out.destination) == kAllowedInProc.end()) {
    return invalid(".destination",
                   "\"" + out.destination + "\" cannot be mounted because it is inside /proc");
  }
  return out;
}

base::Result<Propagation> plan_propagation(const std::string& name) {
  if (name.empty()) return Propagation{MS_SLAVE, true};
  const MountOptions options = parse_options({name});
  if (options.propagations.empty()) {
    return base::fail(base::ErrorKind::Invalid,
                      "linux.rootfsPropagation: rootfsPropagation=" + name + " is not supported");
  }
  return options.propagations.front();
}

void plan_linux(const oci::Linux& section, RootfsPlan& out) {
  out.masked_paths = section.masked_paths;
  out.readonly_paths = section.readonly_paths;
  out.mount_label = section.mount_label;
  out.binds_devices = section.find_namespace(oci::NamespaceType::User) != nullptr;
  for (const oci::Device& device : section.devices) {
    DeviceNode node{clean_path(device.path),
                    file_type(device.type) | (device.file_mode.value_or(0666) & 07777U),
                    static_cast<std::uint32_t>(device.major),
                    static_cast<std::uint32_t>(device.minor),
                    device.uid.value_or(0),
                    device.gid.value_or(0)};
    // One of the defaults may be given again, with other rights.
    std::erase_if(out.devices,
                  [&node](const DeviceNode& other) { return other.path == node.path; });
    out.devices.push_back(std::move(node));
  }
}

}  // namespace

std::string clean_path(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string out;
  for (const std::string_view part : parts) {
    out += '/';
    out += part;
  }
  return out.empty() ? "/" : out;
}

base::Result<RootfsPlan> plan_rootfs(const oci::Spec& spec, const std::string& bundle) {
  RootfsPlan out;
  out.root = absolute(spec.root->path, bundle);
  out.is_readonly = spec.root->readonly;
  out.devices = default_devices();
  for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
    PlannedMount mount = TRY(plan_mount(spec.mounts[i], i, bundle, out.root));
    if (mount.destination == "/dev" && mount.kind == MountKind::Bind) out.has_own_dev = false;
    out.mounts.push_back(std::move(mount));
  }
  plan_linux(spec.linux, out);
  out.propagation = TRY(plan_propagation(spec.linux.rootfs_propagation));
  if (!spec.linux.rootfs_propagation.empty()) out.root_propagation = out.propagation;
  if (!out.has_own_dev) out.devices.clear();
  return out;
}

}  // namespace runtime::rootfs
