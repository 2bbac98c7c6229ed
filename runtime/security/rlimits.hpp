// Resource limits of a process: setrlimit(2).
#pragma once

#include <sys/types.h>

#include <vector>

#include "base/result.hpp"
#include "oci/process.hpp"

namespace runtime::security {

/// Sets the limits of process `pid` (0: the caller). Raising a hard limit needs CAP_SYS_RESOURCE in
/// the initial user namespace: the error names the type. Allocates nothing on success.
base::Result<void> apply_rlimits(const std::vector<oci::Rlimit>& rlimits, pid_t pid = 0);

}  // namespace runtime::security
