// From the host's tree to the container's: what init does with the mounts of its namespace, in this
// order: prepare, (hooks), enter, cover.
#pragma once

#include "runtime/rootfs/mount_apply.hpp"
#include "runtime/rootfs/mount_plan.hpp"
#include "runtime/rootfs/root.hpp"

namespace runtime::rootfs {

/// Detaches the namespace from the host's by the plan's propagation, makes the root a mount, and
/// fills it: mounts, devices, links. The host's tree is still there.
base::Result<Root> prepare(const RootfsPlan& plan, const SourceOpener& ask);

/// pivot_root(2) without a directory for the old root, or, with no_pivot, a moved mount and
/// chroot. From here on no path of the host can be opened. The current directory is the new root.
base::Result<void> enter(const RootfsPlan& plan, const Root& root);

/// Masked and read-only paths, the read-only root, and its propagation.
base::Result<void> cover(const RootfsPlan& plan);

}  // namespace runtime::rootfs
