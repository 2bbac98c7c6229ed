// How the kernel schedules a process: policy, I/O priority, CPUs, memory nodes. Each function acts
// on the calling thread and allocates nothing on success beyond a small mask.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "oci/process.hpp"
#include "oci/spec.hpp"

namespace runtime::security {

/// sched_setattr(2).
base::Result<void> apply_scheduler(const oci::Scheduler& scheduler);
/// ioprio_set(2).
base::Result<void> apply_io_priority(const oci::IoPriority& priority);
/// set_mempolicy(2).
base::Result<void> apply_memory_policy(const oci::MemoryPolicy& policy);
/// sched_setaffinity(2) with a list ("0-3,7"); an empty list changes nothing.
base::Result<void> apply_cpu_affinity(std::string_view cpus);
/// All CPUs that the cgroup has; what the kernel refuses changes nothing.
void reset_cpu_affinity();

}  // namespace runtime::security
