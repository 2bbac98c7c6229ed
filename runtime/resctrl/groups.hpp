// The effects on resctrl: groups are directories, which the kernel fills with files
// (Documentation/arch/x86/resctrl.rst, "Resource alloc and monitor groups"). Errors carry what
// info/last_cmd_status says.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"
#include "runtime/resctrl/plan.hpp"

namespace runtime::resctrl {

/// The control group, then the file schemata, then the monitoring group. Sets groups.owns_control
/// when this call made the control group. An error leaves what was made until undo().
base::Result<void> make(Plan& plan);

/// Moves a process with one thread, and with it all that it starts.
base::Result<void> enter(const Groups& groups, pid_t pid);

/// New lines for the file schemata of the control group.
base::Result<void> write_schemata(const Groups& groups, const std::string& lines);

/// After a failure: what make() made. A class with a name goes only while nobody else has come in.
base::Result<void> undo(const Plan& plan);

/// At the container's end: the monitoring group, and the control group where the container owns it.
/// What is gone is no failure.
base::Result<void> remove(const Groups& groups);

}  // namespace runtime::resctrl
