// The mounts that Create brings: containerd's snapshot, made at <bundle>/rootfs.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "shim/protocol/types.hpp"

namespace shim::service {

/// In their order, all or none. May change the working directory: for a forked process.
base::Result<void> mount_rootfs(const std::vector<protocol::Mount>& mounts,
                                const std::string& rootfs);
/// Everything that is mounted on `rootfs`; nothing mounted is no error.
base::Result<void> unmount_rootfs(const std::string& rootfs);

/// Pure: what mount(2) gets as data, and the directory that the paths in it start from ("": they
/// are absolute). The kernel takes one page, which an overlay of many layers exceeds unless their
/// paths are cut. LimitExceeded when that does not help.
struct MountData {
  std::string directory;
  std::string text;
};
base::Result<MountData> mount_data(const std::vector<std::string>& parameters);

}  // namespace shim::service
