// The new mount API with errors (fsopen(2) and its family), and small types for what it takes.
// Mounts are made detached, by descriptor, and only then moved to a target that is a descriptor
// too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "runtime/rootfs/mount_plan.hpp"

namespace runtime::rootfs {

/// A new instance of a file system, detached. `parameters` are "key=value" or flags. The error
/// carries the kernel's own words where it gave some (fsopen(2), message log).
base::Result<base::UniqueFd> make_file_system(const std::string& type, const std::string& source,
                                              const std::vector<std::string>& parameters,
                                              std::uint64_t attributes);
/// A detached copy of the mount at `path` seen from `directory`; an empty path means `directory`
/// itself.
base::Result<base::UniqueFd> clone_mount(int directory, const std::string& path, bool is_recursive);
base::Result<void> set_attributes(int mount, const Attributes& attributes, bool is_recursive,
                                  std::string_view subject);
base::Result<void> set_propagation(int mount, const Propagation& propagation,
                                   std::string_view subject);
/// MOUNT_ATTR_IDMAP by the user namespace `user_namespace`.
base::Result<void> set_idmap(int mount, int user_namespace, bool is_recursive,
                             std::string_view subject);
/// Attaches a detached mount on the object that `target` refers to.
base::Result<void> attach(int mount, int target, std::string_view subject);

}  // namespace runtime::rootfs
