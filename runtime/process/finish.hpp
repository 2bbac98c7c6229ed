// The last steps before the program runs, the same for a container's first process and for exec's:
// credentials, filter, directory, execve.
#pragma once

#include "base/result.hpp"
#include "runtime/process/channel.hpp"
#include "runtime/process/plan.hpp"

namespace runtime::process {

/// Returns only on failure. What fails after the parent has gone is written to exec.fifo.
base::Error finish(Plan& plan, Channel& channel);

}  // namespace runtime::process
