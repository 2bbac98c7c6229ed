// The container's root directory before criu mounts into it.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "runtime/checkpoint/rpc.hpp"
#include "runtime/rootfs/mount_plan.hpp"

namespace runtime::checkpoint {

/// Makes the mount points that create would make, those inside of bind mounts too. Mounts nothing
/// that stays.
base::Result<void> make_mount_points(const rootfs::RootfsPlan& plan);

/// criu wants a root that is a mount point below one that nothing covers. Mounted at `path`, an
/// existing directory.
base::Result<void> mount_root(const std::string& root, const std::string& path);

/// Replaces keys, paths inside of `root`, by those that the kernel shows when links are resolved;
/// what does not exist stays as it is behind the last directory that does.
base::Result<void> resolve_keys(const std::string& root, std::vector<Pair>& mounts);

/// Those of `paths` that are files in the root of the process `pid`.
base::Result<std::vector<std::string>> find_masked_files(pid_t pid,
                                                         const std::vector<std::string>& paths);

}  // namespace runtime::checkpoint
