// What only a container's first process does: it makes the container's surroundings.
#pragma once

#include "base/result.hpp"
#include "runtime/process/channel.hpp"
#include "runtime/process/plan.hpp"

namespace runtime::process {

/// Called in the new namespaces, with the container's cgroups and id maps set, as root of the user
/// namespace. Afterwards the root directory is the container's, and stdio is its terminal if it has
/// one. Runs the createContainer hooks and has the parent run those before them.
base::Result<void> build_container(Plan& plan, const Channel& channel);

}  // namespace runtime::process
