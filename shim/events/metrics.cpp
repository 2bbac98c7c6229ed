#include "shim/events/metrics.hpp"

#include "base/file.hpp"
#include "runtime/cgroup/statistics.hpp"
#include "shim/protocol/cgroup1.hpp"
#include "shim/protocol/cgroup2.hpp"
#include "shim/protocol/codec.hpp"

namespace shim::events {
namespace {

namespace cgroup = runtime::cgroup;
namespace v1 = protocol::cgroup1;
namespace v2 = protocol::cgroup2;

constexpr std::size_t kMaxFile = std::size_t{64} << 10;

using Keyed = std::map<std::string, std::uint64_t>;

std::uint64_t value(const Keyed& values, const char* key) {
  const auto found = values.find(key);
  return found == values.end() ? 0 : found->second;
}

/// One counter of memory.stat and where it goes.
template <typename Stat>
struct Field {
  const char* name;
  std::uint64_t Stat::* member;
};

constexpr Field<v1::MemoryStat> kMemory1[] = {
    {"cache", &v1::MemoryStat::cache},
    {"rss", &v1::MemoryStat::rss},
    {"rss_huge", &v1::MemoryStat::rss_huge},
    {"mapped_file", &v1::MemoryStat::mapped_file},
    {"dirty", &v1::MemoryStat::dirty},
    {"writeback", &v1::MemoryStat::writeback},
    {"pgpgin", &v1::MemoryStat::pg_pg_in},
    {"pgpgout", &v1::MemoryStat::pg_pg_out},
    {"pgfault", &v1::MemoryStat::pg_fault},
    {"pgmajfault", &v1::MemoryStat::pg_maj_fault},
    {"inactive_anon", &v1::MemoryStat::inactive_anon},
    {"active_anon", &v1::MemoryStat::active_anon},
    {"inactive_file", &v1::MemoryStat::inactive_file},
    {"active_file", &v1::MemoryStat::active_file},
    {"unevictable", &v1::MemoryStat::unevictable},
    {"hierarchical_memory_limit", &v1::MemoryStat::hierarchical_memory_limit},
    {"hierarchical_memsw_limit", &v1::MemoryStat::hierarchical_swap_limit},
    {"total_cache", &v1::MemoryStat::total_cache},
    {"total_rss", &v1::MemoryStat::total_rss},
    {"total_rss_huge", &v1::MemoryStat::total_rss_huge},
    {"total_mapped_file", &v1::MemoryStat::total_mapped_file},
    {"total_dirty", &v1::MemoryStat::total_dirty},
    {"total_writeback", &v1::MemoryStat::total_writeback},
    {"total_pgpgin", &v1::MemoryStat::total_pg_pg_in},
    {"total_pgpgout", &v1::MemoryStat::total_pg_pg_out},
    {"total_pgfault", &v1::MemoryStat::total_pg_fault},
    {"total_pgmajfault", &v1::MemoryStat::total_pg_maj_fault},
    {"total_inactive_anon", &v1::MemoryStat::total_inactive_anon},
    {"total_active_anon", &v1::MemoryStat::total_active_anon},
    {"total_inactive_file", &v1::MemoryStat::total_inactive_file},
    {"total_active_file", &v1::MemoryStat::total_active_file},
    {"total_unevictable", &v1::MemoryStat::total_unevictable},
};

constexpr Field<v2::MemoryStat> kMemory2[] = {
    {"anon", &v2::MemoryStat::anon},
    {"file", &v2::MemoryStat::file},
    {"kernel_stack", &v2::MemoryStat::kernel_stack},
    {"slab", &v2::MemoryStat::slab},
    {"sock", &v2::MemoryStat::sock},
    {"shmem", &v2::MemoryStat::shmem},
    {"file_mapped", &v2::MemoryStat::file_mapped},
    {"file_dirty", &v2::MemoryStat::file_dirty},
    {"file_writeback", &v2::MemoryStat::file_writeback},
    {"anon_thp", &v2::MemoryStat::anon_thp},
    {"inactive_anon", &v2::MemoryStat::inactive_anon},
    {"active_anon", &v2::MemoryStat::active_anon},
    {"inactive_file", &v2::MemoryStat::inactive_file},
    {"active_file", &v2::MemoryStat::active_file},
    {"unevictable", &v2::MemoryStat::unevictable},
    {"slab_reclaimable", &v2::MemoryStat::slab_reclaimable},
    {"slab_unreclaimable", &v2::MemoryStat::slab_unreclaimable},
    {"pgfault", &v2::MemoryStat::pgfault},
    {"pgmajfault", &v2::MemoryStat::pgmajfault},
    {"workingset_nodereclaim", &v2::MemoryStat::workingset_nodereclaim},
    {"pgrefill", &v2::MemoryStat::pgrefill},
    {"pgscan", &v2::MemoryStat::pgscan},
    {"pgsteal", &v2::MemoryStat::pgsteal},
    {"pgactivate", &v2::MemoryStat::pgactivate},
    {"pgdeactivate", &v2::MemoryStat::pgdeactivate},
    {"pglazyfree", &v2::MemoryStat::pglazyfree},
    {"pglazyfreed", &v2::MemoryStat::pglazyfreed},
    {"thp_fault_alloc", &v2::MemoryStat::thp_fault_alloc},
    {"thp_collapse_alloc", &v2::MemoryStat::thp_collapse_alloc},
};

v1::MemoryEntry entry(const cgroup::MemoryUsage& usage) {
  return {usage.limit, usage.usage, usage.max, usage.failures};
}

Keyed keyed_file(const cgroup::Paths& paths, const char* controller, const char* file) {
  const auto found = paths.find(controller);
  if (found == paths.end()) return {};
  return cgroup::parse_keyed(
      base::read_file(found->second + "/" + file, kMaxFile).value_or(std::string()));
}

v1::Metrics metrics1(const cgroup::Paths& paths, const cgroup::Statistics& read) {
  v1::Metrics out;
  out.pids = {read.pids.current, read.pids.limit};
  out.cpu.emplace();
  out.cpu->usage = {read.cpu.total, read.cpu.kernel, read.cpu.user, read.cpu.per_cpu};
  out.cpu->throttling = {read.cpu.periods, read.cpu.throttled_periods, read.cpu.throttled_time};
  out.memory.emplace();
  for (const auto& field : kMemory1) {
    *out.memory.*field.member = value(read.memory.raw, field.name);
  }
  out.memory->usage = entry(read.memory.memory);
  out.memory->swap = entry(read.memory.swap);
  out.memory->kernel = entry(read.memory.kernel);
  out.blkio.emplace();
  for (const cgroup::IoEntry& each : read.io_bytes) {
    out.blkio->io_service_bytes_recursive.push_back(
        {each.operation, "", each.major, each.minor, each.value});
  }
  for (const cgroup::IoEntry& each : read.io_operations) {
    out.blkio->io_serviced_recursive.push_back(
        {each.operation, "", each.major, each.minor, each.value});
  }
  const Keyed oom = keyed_file(paths, "memory", "memory.oom_control");
  out.memory_oom_control = {value(oom, "oom_kill_disable"), value(oom, "under_oom"),
                            value(oom, "oom_kill")};
  return out;
}

v2::Metrics metrics2(const cgroup::Paths& paths, const cgroup::Statistics& read) {
  constexpr std::uint64_t kNanoseconds = 1000;
  v2::Metrics out;
  out.pids = {read.pids.current, read.pids.limit};
  out.cpu.emplace();
  out.cpu->usage_usec = read.cpu.total / kNanoseconds;
  out.cpu->user_usec = read.cpu.user / kNanoseconds;
  out.cpu->system_usec = read.cpu.kernel / kNanoseconds;
  out.cpu->nr_periods = read.cpu.periods;
  out.cpu->nr_throttled = read.cpu.throttled_periods;
  out.cpu->throttled_usec = read.cpu.throttled_time / kNanoseconds;
  out.memory.emplace();
  for (const auto& field : kMemory2) {
    *out.memory.*field.member = value(read.memory.raw, field.name);
  }
  out.memory->usage = read.memory.memory.usage;
  out.memory->usage_limit = read.memory.memory.limit;
  out.memory->max_usage = read.memory.memory.max;
  out.memory->swap_usage = read.memory.swap.usage;
  out.memory->swap_limit = read.memory.swap.limit;
  const Keyed events = keyed_file(paths, "", "memory.events");
  out.memory_events = {value(events, "low"),      value(events, "high"),
                       value(events, "max"),      value(events, "oom"),
                       value(events, "oom_kill"), value(events, "oom_group_kill")};
  return out;
}

}  // namespace

protocol::Any read_metrics(const cgroup::Paths& paths) {
  const cgroup::Statistics read = cgroup::read_statistics(paths);
  // Hybrid hosts have a v2 directory too, without the controllers that count.
  const bool is_v1 = paths.contains("memory") || !paths.contains("");
  return is_v1 ? protocol::pack(metrics1(paths, read)) : protocol::pack(metrics2(paths, read));
}

}  // namespace shim::events
