// The lists of numbers that cpusets and NUMA node sets are written as: cpuset(7) "List format".
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace oci {

/// Numbers from here on are refused (the kernel's largest NR_CPUS).
inline constexpr std::size_t kMaxCpus = 8192;

/// "0-3,7" as a bit mask of as many words as needed, as sched_setaffinity(2) and set_mempolicy(2)
/// take it; empty for an empty list. Blanks around items and empty items are skipped. Fails with
/// Invalid.
base::Result<std::vector<unsigned long>> parse_cpu_list(std::string_view list);

}  // namespace oci
