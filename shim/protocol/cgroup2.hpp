// io.containerd.cgroups.v2: what Stats answers on a host with cgroup v2. Times are in microseconds,
// sizes in bytes; a limit of UINT64_MAX means none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shim/protocol/cgroup.hpp"

namespace shim::protocol::cgroup2 {

struct PSIData {
  double avg10 = 0;
  double avg60 = 0;
  double avg300 = 0;
  std::uint64_t total = 0;
};

struct PSIStats {
  std::optional<PSIData> some;
  std::optional<PSIData> full;
};

struct CPUStat {
  std::uint64_t usage_usec = 0;
  std::uint64_t user_usec = 0;
  std::uint64_t system_usec = 0;
  std::uint64_t nr_periods = 0;
  std::uint64_t nr_throttled = 0;
  std::uint64_t throttled_usec = 0;
  std::optional<PSIStats> psi;
  std::uint64_t nr_bursts = 0;
  std::uint64_t burst_usec = 0;
};

struct MemoryStat {
  std::uint64_t anon = 0;
  std::uint64_t file = 0;
  std::uint64_t kernel_stack = 0;
  std::uint64_t slab = 0;
  std::uint64_t sock = 0;
  std::uint64_t shmem = 0;
  std::uint64_t file_mapped = 0;
  std::uint64_t file_dirty = 0;
  std::uint64_t file_writeback = 0;
  std::uint64_t anon_thp = 0;
  std::uint64_t inactive_anon = 0;
  std::uint64_t active_anon = 0;
  std::uint64_t inactive_file = 0;
  std::uint64_t active_file = 0;
  std::uint64_t unevictable = 0;
  std::uint64_t slab_reclaimable = 0;
  std::uint64_t slab_unreclaimable = 0;
  std::uint64_t pgfault = 0;
  std::uint64_t pgmajfault = 0;
  std::uint64_t workingset_refault = 0;
  std::uint64_t workingset_activate = 0;
  std::uint64_t workingset_nodereclaim = 0;
  std::uint64_t pgrefill = 0;
  std::uint64_t pgscan = 0;
  std::uint64_t pgsteal = 0;
  std::uint64_t pgactivate = 0;
  std::uint64_t pgdeactivate = 0;
  std::uint64_t pglazyfree = 0;
  std::uint64_t pglazyfreed = 0;
  std::uint64_t thp_fault_alloc = 0;
  std::uint64_t thp_collapse_alloc = 0;
  std::uint64_t usage = 0;
  std::uint64_t usage_limit = 0;
  std::uint64_t swap_usage = 0;
  std::uint64_t swap_limit = 0;
  std::uint64_t max_usage = 0;
  std::uint64_t swap_max_usage = 0;
  std::optional<PSIStats> psi;
};

struct MemoryEvents {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::uint64_t max = 0;
  std::uint64_t oom = 0;
  std::uint64_t oom_kill = 0;
  std::uint64_t oom_group_kill = 0;
};

struct IOEntry {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::uint64_t rbytes = 0;
  std::uint64_t wbytes = 0;
  std::uint64_t rios = 0;
  std::uint64_t wios = 0;
};

struct IOStat {
  std::vector<IOEntry> usage;
  std::optional<PSIStats> psi;
};

struct HugeTlbStat {
  std::uint64_t current = 0;
  std::uint64_t max = 0;
  std::string pagesize;
  std::uint64_t failcnt = 0;
};

struct Metrics {
  static constexpr char kTypeName[] = "io.containerd.cgroups.v2.Metrics";
  std::optional<cgroup::PidsStat> pids;
  std::optional<CPUStat> cpu;
  std::optional<MemoryStat> memory;
  std::optional<cgroup::RdmaStat> rdma;
  std::optional<IOStat> io;
  std::vector<HugeTlbStat> hugetlb;
  std::optional<MemoryEvents> memory_events;
  std::vector<cgroup::NetworkStat> network;
};

}  // namespace shim::protocol::cgroup2
