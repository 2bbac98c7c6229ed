// Removing of what a record names: the second half of delete, and what a killed create left.
#pragma once

#include "base/result.hpp"
#include "runtime/state/record.hpp"

namespace runtime::state {

/// Kills init and everything in the cgroups, waits until they are dead, detaches the mounts, and
/// stops the unit and removes the cgroups and the groups of resctrl. Goes on after a failure and
/// returns the first. Whatever is gone already is no failure, so it can be repeated. The state
/// directory is not touched.
base::Result<void> remove_leftovers(const Record& record);

}  // namespace runtime::state
