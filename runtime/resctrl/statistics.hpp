// What a container's groups show: schemata in force and the counters of each domain (resctrl.rst,
// "Info directory" and "mon_data"). Numbers are the kernel's, bytes where they are sizes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/resctrl/host.hpp"
#include "runtime/resctrl/plan.hpp"

namespace runtime::resctrl {

struct CacheInfo {
  std::string cbm_mask;
  std::uint64_t min_cbm_bits = 0;
  std::uint64_t num_closids = 0;
};

struct BandwidthInfo {
  std::uint64_t bandwidth_gran = 0;
  std::uint64_t delay_linear = 0;
  std::uint64_t min_bandwidth = 0;
  std::uint64_t num_closids = 0;
};

/// The counters of one domain. Without a monitoring group of its own they count the whole class.
struct DomainCounters {
  std::uint64_t llc_occupancy = 0;
  std::uint64_t mbm_total_bytes = 0;
  std::uint64_t mbm_local_bytes = 0;

  bool operator==(const DomainCounters&) const = default;
};

struct Statistics {
  std::optional<CacheInfo> cache;          ///< where cache can be allocated
  std::optional<BandwidthInfo> bandwidth;  ///< where bandwidth can be allocated
  std::vector<std::string> root_schemata;
  std::vector<std::string> schemata;
  std::vector<DomainCounters> domains;  ///< by name of the domain
};

/// An error when the group is gone.
base::Result<Statistics> read_statistics(const Groups& groups, const Host& host);

/// The line of `schemata` for a resource ("L3", "MB"), or "".
std::string line_of(const std::vector<std::string>& schemata, std::string_view resource);

}  // namespace runtime::resctrl
