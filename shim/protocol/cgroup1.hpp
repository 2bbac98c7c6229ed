// io.containerd.cgroups.v1: what Stats answers on a host with cgroup v1 or hybrid. Times are in
// nanoseconds, sizes in bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shim/protocol/cgroup.hpp"

namespace shim::protocol::cgroup1 {

struct HugetlbStat {
  std::uint64_t usage = 0;
  std::uint64_t max = 0;
  std::uint64_t failcnt = 0;
  std::string pagesize;
};

struct CPUUsage {
  std::uint64_t total = 0;
  std::uint64_t kernel = 0;
  std::uint64_t user = 0;
  std::vector<std::uint64_t> per_cpu;
};

struct Throttle {
  std::uint64_t periods = 0;
  std::uint64_t throttled_periods = 0;
  std::uint64_t throttled_time = 0;
};

struct CPUStat {
  std::optional<CPUUsage> usage;
  std::optional<Throttle> throttling;
};

struct MemoryEntry {
  std::uint64_t limit = 0;
  std::uint64_t usage = 0;
  std::uint64_t max = 0;
  std::uint64_t failcnt = 0;
};

struct MemoryStat {
  std::uint64_t cache = 0;
  std::uint64_t rss = 0;
  std::uint64_t rss_huge = 0;
  std::uint64_t mapped_file = 0;
  std::uint64_t dirty = 0;
  std::uint64_t writeback = 0;
  std::uint64_t pg_pg_in = 0;
  std::uint64_t pg_pg_out = 0;
  std::uint64_t pg_fault = 0;
  std::uint64_t pg_maj_fault = 0;
  std::uint64_t inactive_anon = 0;
  std::uint64_t active_anon = 0;
  std::uint64_t inactive_file = 0;
  std::uint64_t active_file = 0;
  std::uint64_t unevictable = 0;
  std::uint64_t hierarchical_memory_limit = 0;
  std::uint64_t hierarchical_swap_limit = 0;
  std::uint64_t total_cache = 0;
  std::uint64_t total_rss = 0;
  std::uint64_t total_rss_huge = 0;
  std::uint64_t total_mapped_file = 0;
  std::uint64_t total_dirty = 0;
  std::uint64_t total_writeback = 0;
  std::uint64_t total_pg_pg_in = 0;
  std::uint64_t total_pg_pg_out = 0;
  std::uint64_t total_pg_fault = 0;
  std::uint64_t total_pg_maj_fault = 0;
  std::uint64_t total_inactive_anon = 0;
  std::uint64_t total_active_anon = 0;
  std::uint64_t total_inactive_file = 0;
  std::uint64_t total_active_file = 0;
  std::uint64_t total_unevictable = 0;
  std::optional<MemoryEntry> usage;
  std::optional<MemoryEntry> swap;
  std::optional<MemoryEntry> kernel;
  std::optional<MemoryEntry> kernel_tcp;
};

struct MemoryOomControl {
  std::uint64_t oom_kill_disable = 0;
  std::uint64_t under_oom = 0;
  std::uint64_t oom_kill = 0;
};

struct BlkIOEntry {
  std::string op;
  std::string device;
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::uint64_t value = 0;
};

struct BlkIOStat {
  std::vector<BlkIOEntry> io_service_bytes_recursive;
  std::vector<BlkIOEntry> io_serviced_recursive;
  std::vector<BlkIOEntry> io_queued_recursive;
  std::vector<BlkIOEntry> io_service_time_recursive;
  std::vector<BlkIOEntry> io_wait_time_recursive;
  std::vector<BlkIOEntry> io_merged_recursive;
  std::vector<BlkIOEntry> io_time_recursive;
  std::vector<BlkIOEntry> sectors_recursive;
};

struct CgroupStats {
  std::uint64_t nr_sleeping = 0;
  std::uint64_t nr_running = 0;
  std::uint64_t nr_stopped = 0;
  std::uint64_t nr_uninterruptible = 0;
  std::uint64_t nr_io_wait = 0;
};

struct Metrics {
  static constexpr char kTypeName[] = "io.containerd.cgroups.v1.Metrics";
  std::vector<HugetlbStat> hugetlb;
  std::optional<cgroup::PidsStat> pids;
  std::optional<CPUStat> cpu;
  std::optional<MemoryStat> memory;
  std::optional<BlkIOStat> blkio;
  std::optional<cgroup::RdmaStat> rdma;
  std::vector<cgroup::NetworkStat> network;
  std::optional<CgroupStats> cgroup_stats;
  std::optional<MemoryOomControl> memory_oom_control;
};

}  // namespace shim::protocol::cgroup1
