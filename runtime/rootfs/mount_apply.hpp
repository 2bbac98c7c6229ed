// Carries out the planned mounts beneath a root: in the container's own mount namespace, before
// pivot_root, while sources on the host can still be opened.
#pragma once

#include "runtime/rootfs/mount_plan.hpp"
#include "runtime/rootfs/root.hpp"

namespace runtime::rootfs {

/// One after the other; the error names the destination. Mounts made before a failure stay until
/// the namespace ends. `idmap_namespaces`: one user namespace for each mount with mappings of its
/// own, made by the parent; -1 for the others.
base::Result<void> apply_mounts(const RootfsPlan& plan, const Root& root,
                                const std::vector<int>& idmap_namespaces);

}  // namespace runtime::rootfs
