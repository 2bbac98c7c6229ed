// Telling a process from a later one with the same pid: proc_pid_stat(5).
#pragma once

#include <sys/types.h>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "runtime/state/record.hpp"

namespace runtime::state {

/// The identity of a process that lives now; NotFound when there is none.
base::Result<ProcessId> identify(pid_t pid);
/// True while it runs; false for gone, zombie, dead or another process under that pid.
bool alive(const ProcessId& process);
/// A pidfd for exactly this process; NotFound when it is not alive.
base::Result<base::UniqueFd> open_process(const ProcessId& process);

}  // namespace runtime::state
