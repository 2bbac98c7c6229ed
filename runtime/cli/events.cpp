// wherry events: what a container uses, in the JSON that readers of runc's know.
#include <poll.h>

#include <chrono>

#include "oci/json/writer.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/cgroup/statistics.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/quantity.hpp"
#include "runtime/resctrl/statistics.hpp"
#include "runtime/state/process_id.hpp"
#include "runtime/state/status.hpp"

namespace runtime::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kOutOfMemoryCheck{1000};

constexpr Option kOptions[] = {
    {"stats", 0, OptionKind::Flag, {}, "print one event and end"},
    {"interval", 0, OptionKind::Value, "TIME", "between statistics, as in 500ms, 5s (default), 1m"},
};

void write_usage(oci::json::Writer& writer, std::string_view name,
                 const cgroup::MemoryUsage& usage) {
  writer.key(name);
  writer.begin_object();
  writer.member("limit", usage.limit);
  writer.member("usage", usage.usage);
  writer.member("max", usage.max);
  writer.member("failcnt", usage.failures);
  writer.end_object();
}

void write_cpu(oci::json::Writer& writer, const cgroup::CpuStatistics& cpu) {
  writer.key("cpu");
  writer.begin_object();
  writer.key("usage");
  writer.begin_object();
  writer.member("total", cpu.total);
  if (!cpu.per_cpu.empty()) {
    writer.key("percpu");
    writer.begin_array();
    for (const std::uint64_t each : cpu.per_cpu) writer.value(each);
    writer.end_array();
  }
  writer.member("kernel", cpu.kernel);
  writer.member("user", cpu.user);
  writer.end_object();
  writer.key("throttling");
  writer.begin_object();
  writer.member("periods", cpu.periods);
  writer.member("throttledPeriods", cpu.throttled_periods);
  writer.member("throttledTime", cpu.throttled_time);
  writer.end_object();
  writer.end_object();
}

void write_memory(oci::json::Writer& writer, const cgroup::MemoryStatistics& memory) {
  writer.key("memory");
  writer.begin_object();
  writer.member("cache", memory.cache);
  write_usage(writer, "usage", memory.memory);
  write_usage(writer, "swap", memory.swap);
  write_usage(writer, "kernel", memory.kernel);
  writer.key("raw");
  writer.begin_object();
  for (const auto& [name, value] : memory.raw) writer.member(name, value);
  writer.end_object();
  writer.end_object();
}

void write_io(oci::json::Writer& writer, std::string_view name,
              const std::vector<cgroup::IoEntry>& entries) {
  writer.key(name);
  writer.begin_array();
  for (const cgroup::IoEntry& each : entries) {
    writer.begin_object();
    writer.member("major", each.major);
    writer.member("minor", each.minor);
    writer.member("op", each.operation);
    writer.member("value", each.value);
    writer.end_object();
  }
  writer.end_array();
}

void write_cache(oci::json::Writer& writer, const resctrl::Statistics& statistics) {
  writer.key("l3_cache_info");
  writer.begin_object();
  writer.member("cbm_mask", statistics.cache->cbm_mask);
  writer.member("min_cbm_bits", statistics.cache->min_cbm_bits);
  writer.member("num_closids", statistics.cache->num_closids);
  writer.end_object();
  writer.member("l3_cache_schema_root", resctrl::line_of(statistics.root_schemata, "L3"));
  writer.member("l3_cache_schema", resctrl::line_of(statistics.schemata, "L3"));
}

void write_bandwidth(oci::json::Writer& writer, const resctrl::Statistics& statistics) {
  writer.key("mem_bw_info");
  writer.begin_object();
  writer.member("bandwidth_gran", statistics.bandwidth->bandwidth_gran);
  writer.member("delay_linear", statistics.bandwidth->delay_linear);
  writer.member("min_bandwidth", statistics.bandwidth->min_bandwidth);
  writer.member("num_closids", statistics.bandwidth->num_closids);
  writer.end_object();
  writer.member("mem_bw_schema_root", resctrl::line_of(statistics.root_schemata, "MB"));
  writer.member("mem_bw_schema", resctrl::line_of(statistics.schemata, "MB"));
}

void write_monitors(oci::json::Writer& writer, const resctrl::Monitors& monitors,
                    const resctrl::Statistics& statistics) {
  if (monitors.mbm_total_bytes || monitors.mbm_local_bytes) {
    writer.key("mbm_stats");
    writer.begin_array();
    for (const resctrl::DomainCounters& each : statistics.domains) {
      writer.begin_object();
      writer.member("mbm_total_bytes", each.mbm_total_bytes);
      writer.member("mbm_local_bytes", each.mbm_local_bytes);
      writer.end_object();
    }
    writer.end_array();
  }
  if (!monitors.llc_occupancy) return;
  writer.key("cmt_stats");
  writer.begin_array();
  for (const resctrl::DomainCounters& each : statistics.domains) {
    writer.begin_object();
    writer.member("llc_occupancy", each.llc_occupancy);
    writer.end_object();
  }
  writer.end_array();
}

// Nothing where resctrl is no longer what it was at create.
void write_resctrl(oci::json::Writer& writer, const resctrl::Groups& groups) {
  const resctrl::Host host = resctrl::read_host(groups.root);
  const base::Result<resctrl::Statistics> statistics = resctrl::read_statistics(groups, host);
  if (!statistics) return;
  writer.key("intel_rdt");
  writer.begin_object();
  if (statistics->cache) write_cache(writer, *statistics);
  if (statistics->bandwidth) write_bandwidth(writer, *statistics);
  writer.key("schemata");
  writer.begin_array();
  for (const std::string& each : statistics->schemata) writer.value(each);
  writer.end_array();
  write_monitors(writer, host.monitors, *statistics);
  writer.end_object();
}

std::string statistics_event(const state::Record& record) {
  const cgroup::Statistics statistics = cgroup::read_statistics(record.cgroup);
  oci::json::Writer writer;
  writer.begin_object();
  writer.member("type", "stats");
  writer.member("id", record.id);
  writer.key("data");
  writer.begin_object();
  write_cpu(writer, statistics.cpu);
  write_memory(writer, statistics.memory);
  writer.key("pids");
  writer.begin_object();
  writer.member("current", statistics.pids.current);
  writer.member("limit", statistics.pids.limit);
  writer.end_object();
  writer.key("blkio");
  writer.begin_object();
  write_io(writer, "ioServiceBytesRecursive", statistics.io_bytes);
  write_io(writer, "ioServicedRecursive", statistics.io_operations);
  writer.end_object();
  if (record.resctrl) write_resctrl(writer, *record.resctrl);
  writer.end_object();
  writer.end_object();
  return writer.take() + '\n';
}

std::string out_of_memory_event(const state::Record& record) {
  oci::json::Writer writer;
  writer.begin_object();
  writer.member("type", "oom");
  writer.member("id", record.id);
  writer.end_object();
  return writer.take() + '\n';
}

// Until the container ends: statistics every interval, and an event when the kernel's count of
// processes killed for memory rose.
base::Result<int> follow(const state::Record& record, milliseconds interval) {
  const base::UniqueFd init = TRY(state::open_process(*record.init));
  const cgroup::Cgroup cgroup(record.cgroup);
  std::uint64_t kills = cgroup.oom_kills();
  milliseconds since_statistics{0};
  for (;;) {
    const milliseconds wait = std::min(kOutOfMemoryCheck, interval - since_statistics);
    pollfd end{init.get(), POLLIN, 0};
    if (::poll(&end, 1, static_cast<int>(wait.count())) < 0 && errno != EINTR) {
      return base::fail_errno("poll");
    }
    if (const std::uint64_t now = cgroup.oom_kills(); now > kills) {
      kills = now;
      print(out_of_memory_event(record));
    }
    if (end.revents != 0) return 0;
    since_statistics += wait;
    if (since_statistics < interval) continue;
    since_statistics = milliseconds(0);
    print(statistics_event(record));
  }
}

base::Result<int> run(const Invocation& invocation) {
  const milliseconds interval =
      TRY(parse_duration(invocation.arguments.value("interval").value_or("5s"), "interval"));
  const state::Record record =
      TRY(invocation.globals.store.load(invocation.arguments.positional().front()));
  if (state::status_of(record) == oci::Status::Stopped || !record.init) {
    return base::fail(base::ErrorKind::WrongState,
                      "container with id " + record.id + " is not running");
  }
  if (!invocation.arguments.flag("stats")) return follow(record, interval);
  print(statistics_event(record));
  return 0;
}

}  // namespace

constinit const Command kEvents{
    .name = "events",
    .synopsis = "<container-id>",
    .summary = "print what a container uses",
    .description =
        "Prints one JSON object per line until the container ends: statistics of its cgroups\n"
        "in intervals, and an event within a second of the kernel killing a process for\n"
        "memory.",
    .options = kOptions,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
};

}  // namespace runtime::cli
