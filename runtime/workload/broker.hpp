// Compiling beside a container's start: create and start never wait for a compile, the container's
// PID 1 does.
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace runtime::workload {

/// Starts a detached process that compiles `module` into the cache (or waits for who does already)
/// and sends the artifact over the returned socket, as docs/formats/exec-control.md says. It
/// outlives its caller and everything that the caller's death may signal.
base::Result<base::UniqueFd> start_broker(int module, const std::string& name);

}  // namespace runtime::workload
