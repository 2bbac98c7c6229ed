// Where compiles for containers run: hostile modules must not eat the node, and nobody's pod pays.
#pragma once

#include "base/result.hpp"

namespace runtime::workload {

/// Moves this process, and so the compiler that it starts, into the node's one cgroup for compiles,
/// "/wherry-compile": all of them together weigh as much as one container that asks for nothing,
/// and have half of the node's memory. It is made on first use and stays. Where this process may
/// not make cgroups, nothing happens.
base::Result<void> enter_compile_cgroup();

}  // namespace runtime::workload
