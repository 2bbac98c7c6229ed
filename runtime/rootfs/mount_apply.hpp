// Carries out the planned mounts beneath a root: in the container's own mount namespace, before
// pivot_root, while sources on the host can still be opened.
#pragma once

#include <cstddef>
#include <functional>

#include "runtime/rootfs/mount_plan.hpp"
#include "runtime/rootfs/root.hpp"

namespace runtime::rootfs {

/// The detached, mapped copy of the source of `plan.mounts[index]`, made now, as this mount
/// namespace shows it, by somebody with the host's rights.
using SourceOpener = std::function<base::Result<base::UniqueFd>(std::size_t index)>;

/// One after the other; the error names the destination. Mounts made before a failure stay until
/// the namespace ends.
base::Result<void> apply_mounts(const RootfsPlan& plan, const Root& root, const SourceOpener& ask);

}  // namespace runtime::rootfs
