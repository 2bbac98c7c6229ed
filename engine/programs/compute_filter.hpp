// A system call filter for a process that only computes over descriptors it already has.
#pragma once

#include "base/result.hpp"

namespace engine::programs {

/// Sets no_new_privs and allows memory, threads, reading, writing, time, random and exit; anything
/// else fails with EPERM. For all threads that start later.
base::Result<void> install_compute_filter();

}  // namespace engine::programs
