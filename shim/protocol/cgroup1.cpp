// Field numbers of io.containerd.cgroups.v1.
#include "shim/protocol/cgroup1.hpp"
#include "shim/protocol/cgroup_fields.hpp"
#include "shim/protocol/shared_fields.hpp"

namespace shim::protocol {
namespace cgroup1 {

void fields(auto& visit, Is<HugetlbStat> auto& m) {
  visit(1, m.usage);
  visit(2, m.max);
  visit(3, m.failcnt);
  visit(4, m.pagesize);
}

void fields(auto& visit, Is<CPUUsage> auto& m) {
  visit(1, m.total);
  visit(2, m.kernel);
  visit(3, m.user);
  visit(4, m.per_cpu);
}

void fields(auto& visit, Is<Throttle> auto& m) {
  visit(1, m.periods);
  visit(2, m.throttled_periods);
  visit(3, m.throttled_time);
}

void fields(auto& visit, Is<CPUStat> auto& m) {
  visit(1, m.usage);
  visit(2, m.throttling);
}

void fields(auto& visit, Is<MemoryEntry> auto& m) {
  visit(1, m.limit);
  visit(2, m.usage);
  visit(3, m.max);
  visit(4, m.failcnt);
}

void fields(auto& visit, Is<MemoryStat> auto& m) {
  visit(1, m.cache);
  visit(2, m.rss);
  visit(3, m.rss_huge);
  visit(4, m.mapped_file);
  visit(5, m.dirty);
  visit(6, m.writeback);
  visit(7, m.pg_pg_in);
  visit(8, m.pg_pg_out);
  visit(9, m.pg_fault);
  visit(10, m.pg_maj_fault);
  visit(11, m.inactive_anon);
  visit(12, m.active_anon);
  visit(13, m.inactive_file);
  visit(14, m.active_file);
  visit(15, m.unevictable);
  visit(16, m.hierarchical_memory_limit);
  visit(17, m.hierarchical_swap_limit);
  visit(18, m.total_cache);
  visit(19, m.total_rss);
  visit(20, m.total_rss_huge);
  visit(21, m.total_mapped_file);
  visit(22, m.total_dirty);
  visit(23, m.total_writeback);
  visit(24, m.total_pg_pg_in);
  visit(25, m.total_pg_pg_out);
  visit(26, m.total_pg_fault);
  visit(27, m.total_pg_maj_fault);
  visit(28, m.total_inactive_anon);
  visit(29, m.total_active_anon);
  visit(30, m.total_inactive_file);
  visit(31, m.total_active_file);
  visit(32, m.total_unevictable);
  visit(33, m.usage);
  visit(34, m.swap);
  visit(35, m.kernel);
  visit(36, m.kernel_tcp);
}

void fields(auto& visit, Is<MemoryOomControl> auto& m) {
  visit(1, m.oom_kill_disable);
  visit(2, m.under_oom);
  visit(3, m.oom_kill);
}

void fields(auto& visit, Is<BlkIOEntry> auto& m) {
  visit(1, m.op);
  visit(2, m.device);
  visit(3, m.major);
  visit(4, m.minor);
  visit(5, m.value);
}

void fields(auto& visit, Is<BlkIOStat> auto& m) {
  visit(1, m.io_service_bytes_recursive);
  visit(2, m.io_serviced_recursive);
  visit(3, m.io_queued_recursive);
  visit(4, m.io_service_time_recursive);
  visit(5, m.io_wait_time_recursive);
  visit(6, m.io_merged_recursive);
  visit(7, m.io_time_recursive);
  visit(8, m.sectors_recursive);
}

void fields(auto& visit, Is<CgroupStats> auto& m) {
  visit(1, m.nr_sleeping);
  visit(2, m.nr_running);
  visit(3, m.nr_stopped);
  visit(4, m.nr_uninterruptible);
  visit(5, m.nr_io_wait);
}

void fields(auto& visit, Is<Metrics> auto& m) {
  visit(1, m.hugetlb);
  visit(2, m.pids);
  visit(3, m.cpu);
  visit(4, m.memory);
  visit(5, m.blkio);
  visit(6, m.rdma);
  visit(7, m.network);
  visit(8, m.cgroup_stats);
  visit(9, m.memory_oom_control);
}

}  // namespace cgroup1

MESSAGE(cgroup1::HugetlbStat);
MESSAGE(cgroup1::CPUUsage);
MESSAGE(cgroup1::Throttle);
MESSAGE(cgroup1::CPUStat);
MESSAGE(cgroup1::MemoryEntry);
MESSAGE(cgroup1::MemoryStat);
MESSAGE(cgroup1::MemoryOomControl);
MESSAGE(cgroup1::BlkIOEntry);
MESSAGE(cgroup1::BlkIOStat);
MESSAGE(cgroup1::CgroupStats);
MESSAGE(cgroup1::Metrics);

}  // namespace shim::protocol
