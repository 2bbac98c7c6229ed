// config-linux.md "Namespaces", "User namespace mappings", "Offset for Time Namespace", "sysctl",
// "Network Devices": what must be namespaced to be set.
#include <algorithm>
#include <string>
#include <string_view>

#include "oci/invalid.hpp"
#include "oci/names.hpp"
#include "oci/validate_linux.hpp"

namespace oci {
namespace {

base::Result<void> check_user_namespace(const Linux& section) {
  const bool has_mappings = !section.uid_mappings.empty() || !section.gid_mappings.empty();
  const Namespace* user = section.find_namespace(NamespaceType::User);
  if (user == nullptr && has_mappings) {
    return invalid("linux.uidMappings",
                   "user namespace mappings specified, but user namespace isn't enabled in the "
                   "config");
  }
  // Path and mappings together are decided where the namespace can be looked at: containerd and
  // CRI-O write both.
  if (user != nullptr && user->path.empty() && !has_mappings) {
    return invalid("linux.uidMappings",
                   "user namespaces enabled, but no namespace path to join nor mappings to apply "
                   "specified");
  }
  return {};
}

base::Result<void> check_time_namespace(const Linux& section) {
  const Namespace* time = section.find_namespace(NamespaceType::Time);
  if (section.time_offsets.empty()) return {};
  if (time == nullptr) {
    return invalid("linux.timeOffsets",
                   "time namespace offsets specified, but time namespace isn't enabled in the "
                   "config");
  }
  if (!time->path.empty()) {
    return invalid("linux.timeOffsets",
                   "time namespace enabled, but both namespace path and time offsets specified -- "
                   "you may only provide one");
  }
  for (const auto& [clock, offset] : section.time_offsets) {
    const std::string at = "linux.timeOffsets[" + quoted(clock) + "]";
    if (clock != "monotonic" && clock != "boottime") {
      return invalid(at, "time namespaces have no such clock");
    }
    if (offset.nanosecs >= 1'000'000'000) return invalid(at + ".nanosecs", "a second or more");
  }
  return {};
}

base::Result<void> check_mappings(std::string_view path, const std::vector<IdMapping>& mappings) {
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    const IdMapping& mapping = mappings[i];
    const std::string at = element(path, i);
    if (mapping.size == 0) return invalid(at + ".size", "must not be zero");
    constexpr std::uint64_t kIds = std::uint64_t{1} << 32;
    if (std::uint64_t{mapping.container_id} + mapping.size > kIds ||
        std::uint64_t{mapping.host_id} + mapping.size > kIds) {
      return invalid(at + ".size", "the range ends above the largest id");
    }
  }
  return {};
}

// linux/net/core/dev.c, dev_valid_name(): at most IFNAMSIZ - 1 bytes.
bool is_device_name(std::string_view name) {
  return !name.empty() && name.size() < 16 && name != "." && name != ".." &&
         name.find_first_of("/: \t\n\v\f\r") == name.npos;
}

base::Result<void> check_net_devices(const Linux& section) {
  if (section.net_devices.empty()) return {};
  if (section.find_namespace(NamespaceType::Network) == nullptr) {
    return invalid("linux.netDevices", "unable to move network devices without a NET namespace");
  }
  for (const auto& [name, device] : section.net_devices) {
    const std::string at = "linux.netDevices[" + quoted(name) + "]";
    if (!is_device_name(name)) {
      return invalid(at, "invalid network device name " + quoted(name));
    }
    if (!device.name.empty() && !is_device_name(device.name)) {
      return invalid(at + ".name", "invalid network device name " + quoted(device.name));
    }
  }
  return {};
}

// sysctl(8) takes both separators: what comes first decides. "net/ipv4/conf/eth0.1/mtu" is
// "net.ipv4.conf.eth0/1.mtu".
std::string with_dots(std::string key) {
  const std::size_t first = key.find_first_of("./");
  if (first == std::string::npos || key[first] == '.') return key;
  for (char& c : key) c = c == '.' ? '/' : c == '/' ? '.' : c;
  return key;
}

bool is_ipc_sysctl(std::string_view key) {
  static constexpr std::string_view kKeys[] = {
      "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
      "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
  };
  return key.starts_with("fs.mqueue.") ||
         std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

}  // namespace

base::Result<void> check_namespaces(const Linux& section) {
  for (std::size_t i = 0; i < section.namespaces.size(); ++i) {
    const Namespace& entry = section.namespaces[i];
    const std::string at = element("linux.namespaces", i);
    if (section.find_namespace(entry.type) != &entry) {
      return invalid(at + ".type",
                     "malformed spec file: duplicated ns " + quoted(name_of(entry.type)));
    }
    if (!entry.path.empty() && !is_absolute(entry.path)) {
      return invalid(at + ".path", "must be an absolute path");
    }
  }
  TRY(check_user_namespace(section));
  TRY(check_mappings("linux.uidMappings", section.uid_mappings));
  TRY(check_mappings("linux.gidMappings", section.gid_mappings));
  TRY(check_time_namespace(section));
  return check_net_devices(section);
}

base::Result<void> check_sysctl(const Linux& section) {
  const auto has = [&](NamespaceType type) { return section.find_namespace(type) != nullptr; };
  for (const auto& [raw_key, value] : section.sysctl) {
    const std::string key = with_dots(raw_key);
    const std::string at = "linux.sysctl[" + quoted(raw_key) + "]";
    const std::string name = quoted(key);
    // No sysctl has an empty component; with mixed separators one could climb out of /proc/sys.
    if (raw_key.find("..") != raw_key.npos || raw_key.find("//") != raw_key.npos) {
      return invalid(at, "sysctl " + name + " leaves /proc/sys");
    }
    if (is_ipc_sysctl(key)) {
      if (has(NamespaceType::Ipc)) continue;
      return invalid(at, "sysctl " + name + " is not allowed in the hosts ipc namespace");
    }
    if (key.starts_with("net.")) {
      if (has(NamespaceType::Network)) continue;
      return invalid(at, "sysctl " + name + " not allowed in host network namespace");
    }
    if (has(NamespaceType::Uts)) {
      if (key == "kernel.domainname") continue;
      if (key == "kernel.hostname") {
        return invalid(at, "sysctl " + name +
                               " is not allowed as it conflicts with the OCI \"hostname\" field");
      }
    }
    if (key.starts_with("user.")) {
      if (has(NamespaceType::User)) continue;
      return invalid(at, "setting ucounts without a user namespace not allowed: " + key);
    }
    return invalid(at, "sysctl " + name + " is not in a separate kernel namespace");
  }
  return {};
}

}  // namespace oci
