// config.json of a bundle for the platform linux: runtime-spec 1.3.0, config.md and
// config-linux.md. Plain data as parse.hpp reads it and validate.hpp checks it. Names are the
// spec's in snake_case; std::optional only where absence differs from the empty value. Other
// platforms' sections are not kept.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "oci/process.hpp"
#include "oci/resources.hpp"
#include "oci/seccomp.hpp"

namespace oci {

/// The version of the specification that this library implements.
inline constexpr const char* kSpecVersion = "1.3.0";

struct Root {
  std::string path;
  bool readonly = false;
};

struct IdMapping {
  std::uint32_t container_id = 0;
  std::uint32_t host_id = 0;
  std::uint32_t size = 0;
};

struct Mount {
  std::string destination;
  std::string type;
  std::string source;
  std::vector<std::string> options;
  std::vector<IdMapping> uid_mappings;
  std::vector<IdMapping> gid_mappings;
};

struct Hook {
  std::string path;
  std::vector<std::string> args;  ///< args[0] included, as execv(3)
  std::vector<std::string> env;
  std::optional<std::int32_t> timeout;  ///< seconds
};

struct Hooks {
  std::vector<Hook> prestart;  ///< deprecated, runs before create_runtime
  std::vector<Hook> create_runtime;
  std::vector<Hook> create_container;
  std::vector<Hook> start_container;
  std::vector<Hook> poststart;
  std::vector<Hook> poststop;
};

enum class NamespaceType : std::uint8_t { Pid, Network, Mount, Ipc, Uts, User, Cgroup, Time };

/// An empty path: a new namespace. Otherwise the namespace to join.
struct Namespace {
  NamespaceType type = NamespaceType::Pid;
  std::string path;
};

enum class DeviceType : std::uint8_t { Char, Block, Unbuffered, Fifo };

struct Device {
  std::string path;
  DeviceType type = DeviceType::Char;
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::optional<std::uint32_t> file_mode;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
};

/// A host network device that moves into the container, under `name` if that is not empty.
struct NetDevice {
  std::string name;
};

struct IntelRdt {
  std::string clos_id;
  std::vector<std::string> schemata;
  std::string l3_cache_schema;
  std::string mem_bw_schema;
  bool enable_monitoring = false;
};

enum class MemoryPolicyMode : std::uint8_t {
  Default,
  Bind,
  Interleave,
  WeightedInterleave,
  Preferred,
  PreferredMany,
  Local,
};

enum class MemoryPolicyFlag : std::uint8_t { NumaBalancing, RelativeNodes, StaticNodes };

struct MemoryPolicy {
  MemoryPolicyMode mode = MemoryPolicyMode::Default;
  std::string nodes;  ///< "0-3,7"
  std::vector<MemoryPolicyFlag> flags;
};

enum class PersonalityDomain : std::uint8_t { Linux, Linux32 };

struct Personality {
  PersonalityDomain domain = PersonalityDomain::Linux;
  std::vector<std::string> flags;
};

struct TimeOffset {
  std::int64_t secs = 0;
  std::uint32_t nanosecs = 0;
};

struct Linux {
  std::vector<IdMapping> uid_mappings;
  std::vector<IdMapping> gid_mappings;
  std::map<std::string, std::string> sysctl;
  Resources resources;
  std::string cgroups_path;
  std::vector<Namespace> namespaces;
  std::vector<Device> devices;
  std::map<std::string, NetDevice> net_devices;  ///< by the name on the host
  std::optional<Seccomp> seccomp;
  std::string rootfs_propagation;
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::string mount_label;
  std::optional<IntelRdt> intel_rdt;
  std::optional<MemoryPolicy> memory_policy;
  std::optional<Personality> personality;
  std::map<std::string, TimeOffset> time_offsets;  ///< by clock: "monotonic", "boottime"

  /// The entry of this type, or nullptr.
  const Namespace* find_namespace(NamespaceType type) const {
    for (const Namespace& entry : namespaces) {
      if (entry.type == type) return &entry;
    }
    return nullptr;
  }
};

struct Spec {
  std::string oci_version;
  std::optional<Process> process;
  std::optional<Root> root;
  std::string hostname;
  std::string domainname;
  std::vector<Mount> mounts;
  Hooks hooks;
  std::map<std::string, std::string> annotations;
  Linux linux;  ///< empty when the section is absent
};

}  // namespace oci
