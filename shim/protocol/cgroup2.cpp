// Field numbers of io.containerd.cgroups.v2.
#include "shim/protocol/cgroup2.hpp"
#include "shim/protocol/cgroup_fields.hpp"
#include "shim/protocol/shared_fields.hpp"

namespace shim::protocol {
namespace cgroup2 {

void fields(auto& visit, Is<PSIData> auto& m) {
  visit(1, m.avg10);
  visit(2, m.avg60);
  visit(3, m.avg300);
  visit(4, m.total);
}

void fields(auto& visit, Is<PSIStats> auto& m) {
  visit(1, m.some);
  visit(2, m.full);
}

void fields(auto& visit, Is<CPUStat> auto& m) {
  visit(1, m.usage_usec);
  visit(2, m.user_usec);
  visit(3, m.system_usec);
  visit(4, m.nr_periods);
  visit(5, m.nr_throttled);
  visit(6, m.throttled_usec);
  visit(7, m.psi);
  visit(8, m.nr_bursts);
  visit(9, m.burst_usec);
}

void fields(auto& visit, Is<MemoryStat> auto& m) {
  visit(1, m.anon);
  visit(2, m.file);
  visit(3, m.kernel_stack);
  visit(4, m.slab);
  visit(5, m.sock);
  visit(6, m.shmem);
  visit(7, m.file_mapped);
  visit(8, m.file_dirty);
  visit(9, m.file_writeback);
  visit(10, m.anon_thp);
  visit(11, m.inactive_anon);
  visit(12, m.active_anon);
  visit(13, m.inactive_file);
  visit(14, m.active_file);
  visit(15, m.unevictable);
  visit(16, m.slab_reclaimable);
  visit(17, m.slab_unreclaimable);
  visit(18, m.pgfault);
  visit(19, m.pgmajfault);
  visit(20, m.workingset_refault);
  visit(21, m.workingset_activate);
  visit(22, m.workingset_nodereclaim);
  visit(23, m.pgrefill);
  visit(24, m.pgscan);
  visit(25, m.pgsteal);
  visit(26, m.pgactivate);
  visit(27, m.pgdeactivate);
  visit(28, m.pglazyfree);
  visit(29, m.pglazyfreed);
  visit(30, m.thp_fault_alloc);
  visit(31, m.thp_collapse_alloc);
  visit(32, m.usage);
  visit(33, m.usage_limit);
  visit(34, m.swap_usage);
  visit(35, m.swap_limit);
  visit(36, m.max_usage);
  visit(37, m.swap_max_usage);
  visit(38, m.psi);
}

void fields(auto& visit, Is<MemoryEvents> auto& m) {
  visit(1, m.low);
  visit(2, m.high);
  visit(3, m.max);
  visit(4, m.oom);
  visit(5, m.oom_kill);
  visit(6, m.oom_group_kill);
}

void fields(auto& visit, Is<IOEntry> auto& m) {
  visit(1, m.major);
  visit(2, m.minor);
  visit(3, m.rbytes);
  visit(4, m.wbytes);
  visit(5, m.rios);
  visit(6, m.wios);
}

void fields(auto& visit, Is<IOStat> auto& m) {
  visit(1, m.usage);
  visit(2, m.psi);
}

void fields(auto& visit, Is<HugeTlbStat> auto& m) {
  visit(1, m.current);
  visit(2, m.max);
  visit(3, m.pagesize);
  visit(4, m.failcnt);
}

void fields(auto& visit, Is<Metrics> auto& m) {
  visit(1, m.pids);
  visit(2, m.cpu);
  visit(4, m.memory);
  visit(5, m.rdma);
  visit(6, m.io);
  visit(7, m.hugetlb);
  visit(8, m.memory_events);
  visit(9, m.network);
}

}  // namespace cgroup2

MESSAGE(cgroup2::PSIData);
MESSAGE(cgroup2::PSIStats);
MESSAGE(cgroup2::CPUStat);
MESSAGE(cgroup2::MemoryStat);
MESSAGE(cgroup2::MemoryEvents);
MESSAGE(cgroup2::IOEntry);
MESSAGE(cgroup2::IOStat);
MESSAGE(cgroup2::HugeTlbStat);
MESSAGE(cgroup2::Metrics);

}  // namespace shim::protocol
