// The mounts of config.json as a list of what to do, made without touching anything: runtime-spec
// 1.3.0 config.md "Mounts".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "oci/spec.hpp"

namespace runtime::rootfs {

/// MOUNT_ATTR_* to set and to clear, as mount_setattr(2) takes them.
struct Attributes {
  std::uint64_t set = 0;
  std::uint64_t clear = 0;
  bool empty() const { return set == 0 && clear == 0; }
};

struct Propagation {
  std::uint64_t type = 0;  ///< MS_SHARED, MS_PRIVATE, ...
  bool is_recursive = false;
};

struct MountOptions {
  Attributes attributes;            ///< of the mount alone
  Attributes recursive_attributes;  ///< of the mount and all below it
  std::vector<Propagation> propagations;
  /// For the file system: "key=value" or a flag.
  std::vector<std::string> parameters;
  bool is_bind = false;
  bool is_recursive_bind = false;
  bool is_remount = false;
  bool is_idmap = false;
  bool is_recursive_idmap = false;
  /// Anything of `attributes` is named, if only to say that it stays as it is: for a bind mount
  /// this settles all flags (bind_attributes()).
  bool names_attributes = false;
  bool copies_up = false;
};

/// Unknown options are the file system's business.
MountOptions parse_options(const std::vector<std::string>& options);
/// What the options mean for a bind mount. Without any, it keeps the flags of its source; with
/// some, it has these alone, as with mount --bind -o. The times of access stay unless they are
/// named.
Attributes bind_attributes(const MountOptions& options);
/// The same where flags of the source are locked (mount_namespaces(7)), because it comes from a
/// more privileged namespace: `present` are its flags. Empty: an option contradicts a locked one.
std::optional<Attributes> locked_bind_attributes(const MountOptions& options,
                                                 std::uint64_t present);
/// All names of the table, sorted; for the features document.
std::vector<std::string_view> option_names();

enum class MountKind : std::uint8_t { FileSystem, Bind, Remount, Cgroup };

struct PlannedMount {
  MountKind kind = MountKind::FileSystem;
  std::string destination;  ///< inside the root, absolute, without "." and ".."
  std::string type;
  std::string source;  ///< of a bind: absolute path on the host
  MountOptions options;
  std::vector<oci::IdMapping> uid_mappings;
  std::vector<oci::IdMapping> gid_mappings;
  std::string label;  ///< SELinux context for a new file system
};

struct DeviceNode {
  std::string path;
  std::uint32_t mode = 0;  ///< S_IFCHR, S_IFBLK or S_IFIFO, and the permissions
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

struct RootfsPlan {
  std::string root;  ///< absolute path on the host
  bool is_readonly = false;
  bool no_pivot = false;
  bool has_own_dev = true;     ///< /dev is ours to fill: it is not bound from the host
  bool binds_devices = false;  ///< in a user namespace nodes cannot be made: bind the host's
  /// With a new user namespace: sources that it may not reach are opened by the parent.
  bool may_ask = false;
  Propagation propagation;  ///< of the namespace's copy of the host's mounts
  /// Of the container's root in the end; absent: as the namespace has it.
  std::optional<Propagation> root_propagation;
  std::vector<PlannedMount> mounts;
  std::vector<DeviceNode> devices;
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::string mount_label;
  /// The container's cgroup in each hierarchy: mount point's base name -> directory.
  std::map<std::string, std::string> cgroups;
  bool is_cgroup_v2 = false;
};

/// Fails with Invalid, naming the JSON path: a destination inside /proc that is not one of lxcfs's
/// (CVE-2019-16884), options that contradict each other, an unknown rootfsPropagation.
/// `bundle` is absolute.
base::Result<RootfsPlan> plan_rootfs(const oci::Spec& spec, const std::string& bundle);

/// "/a/./b//../c" -> "/a/c"; never above "/".
std::string clean_path(std::string_view path);

}  // namespace runtime::rootfs
