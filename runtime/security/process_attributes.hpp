// Single switches of a process: prctl(2), personality(2), proc(5) oom_score_adj.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "base/result.hpp"
#include "oci/spec.hpp"

namespace runtime::security {

/// From here on execve grants nothing; seccomp filters need no privilege.
base::Result<void> set_no_new_privileges();

base::Result<void> apply_personality(const oci::Personality& personality);

/// Of process `pid` as the procfs instance with root `procfs` numbers it. Going below the present
/// minimum needs CAP_SYS_RESOURCE.
base::Result<void> write_oom_score_adj(int procfs, pid_t pid, std::int32_t value);

}  // namespace runtime::security
