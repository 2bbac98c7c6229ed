// maskedPaths and readonlyPaths of config.json: what of the kernel's file systems a container must
// not see or change. Paths that do not exist are no error.
#pragma once

#include <string>
#include <vector>

#include "runtime/rootfs/root.hpp"

namespace runtime::rootfs {

/// Files are covered by /dev/null (which must really be that device: CVE-2025-31133), directories
/// by one empty read-only tmpfs that all of them share.
base::Result<void> mask_paths(const std::vector<std::string>& paths, const Root& root);
base::Result<void> make_readonly(const std::vector<std::string>& paths, const Root& root);

}  // namespace runtime::rootfs
