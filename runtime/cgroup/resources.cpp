// One function per section of linux.resources; each writes its settings for v1 or v2, whichever
// version of the controller the host has.
#include "runtime/cgroup/resources.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "runtime/cgroup/device_rules.hpp"

namespace runtime::cgroup {
namespace {

using base::ErrorKind;

class Planner {
 public:
  explicit Planner(const Host& host) : host_(host) {}

  base::Result<void> memory(const oci::MemoryResources& memory);
  base::Result<void> cpu(const oci::CpuResources& cpu);
  base::Result<void> cpuset(const oci::CpuResources& cpu);
  base::Result<void> pids(const oci::PidsResources& pids);
  base::Result<void> block_io(const oci::BlockIoResources& block_io);
  base::Result<void> hugepages(const std::vector<oci::HugepageLimit>& limits);
  base::Result<void> network(const oci::NetworkResources& network);
  base::Result<void> rdma(const std::map<std::string, oci::RdmaLimit>& limits);
  base::Result<void> unified(const std::map<std::string, std::string>& files);

  void warn(std::string text) { plan_.warnings.push_back(std::move(text)); }
  ResourcePlan take() { return std::move(plan_); }

 private:
  // Where the settings of one controller go. Without that controller nothing but defaults may be
  // asked for.
  struct Target {
    std::string controller;
    Version version;
    bool v1() const { return version == Version::V1; }
  };
  Target target(std::string_view controller) const {
    return {std::string(controller), host_.version_of(controller)};
  }

  base::Result<void> set(const Target& to, std::string origin, std::string file, std::string value,
                         bool is_default = false) {
    if (to.version == Version::None) {
      if (is_default) return {};
      return base::fail(ErrorKind::Unsupported,
                        origin + ": this host has no cgroup controller " + to.controller);
    }
    plan_.settings.push_back({.origin = std::move(origin),
                              .controller = to.controller,
                              .version = to.version,
                              .file = std::move(file),
                              .value = std::move(value),
                              .optional = is_default});
    return {};
  }

  base::Result<void> memory_v1(const Target& to, const oci::MemoryResources& memory);
  base::Result<void> memory_v2(const Target& to, const oci::MemoryResources& memory);
  base::Result<void> cpu_v1(const Target& to, const oci::CpuResources& cpu);
  base::Result<void> cpu_v2(const Target& to, const oci::CpuResources& cpu);
  base::Result<void> io_weight(const Target& to, std::string origin, const std::string& device,
                               std::uint16_t weight);
  base::Result<void> io_weights(const Target& to, const oci::BlockIoResources& block_io);
  base::Result<void> throttles(const Target& to, const std::vector<oci::ThrottleDevice>& devices,
                               const std::string& name, const char* v1_file, const char* v2_key);

  const Host& host_;
  ResourcePlan plan_;
};

// Zero means "not set" in these sections, as runc has always read them.
template <typename T>
bool is_set(const std::optional<T>& value) {
  return value && *value != 0;
}

std::string limit_text(std::int64_t value) { return value < 0 ? "max" : std::to_string(value); }

std::string device_number(std::int64_t major, std::int64_t minor) {
  return std::to_string(major) + ':' + std::to_string(minor);
}

base::Result<void> Planner::memory(const oci::MemoryResources& memory) {
  const std::string path = "linux.resources.memory.";
  if (is_set(memory.kernel))
    warn(path + "kernel is ignored by kernels since 5.16 and by cgroup v2");
  const Target to = target("memory");
  if (is_set(memory.swap) && *memory.swap > 0) {
    const bool has_limit = is_set(memory.limit) && *memory.limit > 0;
    // v1 compares with the limit that the cgroup has by then.
    if (!has_limit && to.version != Version::V1) {
      return base::fail(ErrorKind::Invalid, path + "swap: a limit needs memory.limit beside it");
    }
    if (has_limit && *memory.swap < *memory.limit) {
      return base::fail(ErrorKind::Invalid, path + "swap: below memory.limit");
    }
  }
  if (memory.swappiness && *memory.swappiness > 100) {
    return base::fail(ErrorKind::Invalid, path + "swappiness: above 100");
  }
  oci::MemoryResources wanted = memory;
  // Without a limit on memory, one on memory and swap together would stay behind as the only one.
  if (memory.limit.value_or(0) < 0 && !is_set(memory.swap)) wanted.swap = -1;
  return to.version == Version::V2 ? memory_v2(to, wanted) : memory_v1(to, wanted);
}

base::Result<void> Planner::memory_v1(const Target& to, const oci::MemoryResources& memory) {
  const std::string path = "linux.resources.memory.";
  // A new cgroup has no limit on memory with swap, so the order limit, then swap never breaks the
  // kernel's rule that the second be the larger.
  if (is_set(memory.limit)) {
    TRY(set(to, path + "limit", "memory.limit_in_bytes", std::to_string(*memory.limit),
            *memory.limit < 0));
  }
  if (is_set(memory.swap)) {
    TRY(set(to, path + "swap", "memory.memsw.limit_in_bytes", std::to_string(*memory.swap),
            *memory.swap < 0));
  }
  if (is_set(memory.reservation)) {
    TRY(set(to, path + "reservation", "memory.soft_limit_in_bytes",
            std::to_string(*memory.reservation), *memory.reservation < 0));
  }
  // Before the first process is there: older kernels refuse it later.
  if (is_set(memory.kernel)) {
    TRY(set(to, path + "kernel", "memory.kmem.limit_in_bytes", std::to_string(*memory.kernel),
            true));
  }
  if (is_set(memory.kernel_tcp)) {
    TRY(set(to, path + "kernelTCP", "memory.kmem.tcp.limit_in_bytes",
            std::to_string(*memory.kernel_tcp), *memory.kernel_tcp < 0));
  }
  if (memory.swappiness) {
    TRY(set(to, path + "swappiness", "memory.swappiness", std::to_string(*memory.swappiness)));
  }
  if (memory.disable_oom_killer) {
    TRY(set(to, path + "disableOOMKiller", "memory.oom_control",
            *memory.disable_oom_killer ? "1" : "0", !*memory.disable_oom_killer));
  }
  return {};
}

base::Result<void> Planner::memory_v2(const Target& to, const oci::MemoryResources& memory) {
  const std::string path = "linux.resources.memory.";
  // v2 counts swap alone, the specification memory and swap together.
  if (is_set(memory.swap)) {
    const bool unlimited = *memory.swap < 0;
    const std::int64_t swap_alone = unlimited ? -1 : *memory.swap - *memory.limit;
    // Without swap accounting there is no file, and no swap to use either.
    TRY(set(to, path + "swap", "memory.swap.max", limit_text(swap_alone),
            unlimited || swap_alone == 0));
  }
  if (is_set(memory.limit)) {
    TRY(set(to, path + "limit", "memory.max", limit_text(*memory.limit), *memory.limit < 0));
  }
  if (is_set(memory.reservation)) {
    TRY(set(to, path + "reservation", "memory.low", limit_text(*memory.reservation),
            *memory.reservation < 0));
  }
  if (is_set(memory.kernel_tcp)) warn(path + "kernelTCP is ignored: cgroup v2 has no such limit");
  if (memory.swappiness) warn(path + "swappiness is ignored: cgroup v2 has no such setting");
  if (memory.disable_oom_killer && *memory.disable_oom_killer) {
    warn(path + "disableOOMKiller is ignored: cgroup v2 has no such setting");
  }
  return {};
}

base::Result<void> Planner::cpu(const oci::CpuResources& cpu) {
  const Target to = target("cpu");
  return to.version == Version::V2 ? cpu_v2(to, cpu) : cpu_v1(to, cpu);
}

base::Result<void> Planner::cpu_v1(const Target& to, const oci::CpuResources& cpu) {
  const std::string path = "linux.resources.cpu.";
  if (is_set(cpu.realtime_period)) {
    TRY(set(to, path + "realtimePeriod", "cpu.rt_period_us", std::to_string(*cpu.realtime_period)));
    // Time per period must fit into the period, the old ones and the new ones alike.
    plan_.settings.back().swaps_with_next = is_set(cpu.realtime_runtime);
  }
  if (is_set(cpu.realtime_runtime)) {
    TRY(set(to, path + "realtimeRuntime", "cpu.rt_runtime_us",
            std::to_string(*cpu.realtime_runtime)));
  }
  if (is_set(cpu.shares)) {
    TRY(set(to, path + "shares", "cpu.shares", std::to_string(*cpu.shares), *cpu.shares == 1024));
  }
  if (is_set(cpu.period)) {
    TRY(set(to, path + "period", "cpu.cfs_period_us", std::to_string(*cpu.period),
            *cpu.period == 100000));
    // Below a parent with a limit, the share of a new period with the old quota may be too large.
    if (to.version != Version::None) plan_.settings.back().swaps_with_next = is_set(cpu.quota);
  }
  if (is_set(cpu.quota)) {
    TRY(set(to, path + "quota", "cpu.cfs_quota_us", std::to_string(*cpu.quota), *cpu.quota < 0));
  }
  // The kernel wants burst <= quota, so it follows.
  if (cpu.burst) {
    TRY(set(to, path + "burst", "cpu.cfs_burst_us", std::to_string(*cpu.burst), *cpu.burst == 0));
  }
  // The shares of an idle cgroup cannot be written, so this comes last.
  if (cpu.idle) TRY(set(to, path + "idle", "cpu.idle", std::to_string(*cpu.idle), *cpu.idle == 0));
  return {};
}

base::Result<void> Planner::cpu_v2(const Target& to, const oci::CpuResources& cpu) {
  const std::string path = "linux.resources.cpu.";
  if (is_set(cpu.realtime_period) || is_set(cpu.realtime_runtime)) {
    warn(path + "realtimeRuntime is ignored: cgroup v2 has no such limit");
  }
  if (is_set(cpu.shares)) {
    TRY(set(to, path + "shares", "cpu.weight", std::to_string(cpu_weight_of_shares(*cpu.shares)),
            *cpu.shares == 1024));
  }
  if (is_set(cpu.quota) || is_set(cpu.period)) {
    const std::int64_t quota = is_set(cpu.quota) ? *cpu.quota : -1;
    const std::uint64_t period = is_set(cpu.period) ? *cpu.period : 100000;
    TRY(set(to, path + "quota", "cpu.max", limit_text(quota) + ' ' + std::to_string(period),
            quota < 0));
  }
  if (cpu.burst) {
    TRY(set(to, path + "burst", "cpu.max.burst", std::to_string(*cpu.burst), *cpu.burst == 0));
  }
  if (cpu.idle) TRY(set(to, path + "idle", "cpu.idle", std::to_string(*cpu.idle), *cpu.idle == 0));
  return {};
}

base::Result<void> Planner::cpuset(const oci::CpuResources& cpu) {
  const Target to = target("cpuset");
  if (!cpu.cpus.empty()) TRY(set(to, "linux.resources.cpu.cpus", "cpuset.cpus", cpu.cpus));
  if (!cpu.mems.empty()) TRY(set(to, "linux.resources.cpu.mems", "cpuset.mems", cpu.mems));
  return {};
}

base::Result<void> Planner::pids(const oci::PidsResources& pids) {
  if (!pids.limit) return {};
  const Target to = target("pids");
  // 0 forbids every fork. The first process is cloned right into a v2 cgroup, which counts as one
  // fork; 1 forbids all the others just as well, and is what runc writes on every layout.
  const std::int64_t limit = *pids.limit == 0 ? 1 : *pids.limit;
  return set(to, "linux.resources.pids.limit", "pids.max", limit_text(limit), limit < 0);
}

base::Result<void> Planner::io_weight(const Target& to, std::string origin,
                                      const std::string& device, std::uint16_t weight) {
  const std::string prefix = device.empty() ? "" : device + ' ';
  const std::string suffix = device.empty() ? "" : "_device";
  const std::string by_bfq = prefix + std::to_string(weight);
  if (to.version == Version::V2) {
    TRY(set(to, std::move(origin), "io.bfq.weight", by_bfq));
    plan_.settings.back().other_file = "io.weight";
    plan_.settings.back().other_value = prefix + std::to_string(io_weight_of_blkio(weight));
    return {};
  }
  TRY(set(to, std::move(origin), "blkio.weight" + suffix, by_bfq));
  plan_.settings.back().other_file = "blkio.bfq.weight" + suffix;
  plan_.settings.back().other_value = by_bfq;
  return {};
}

base::Result<void> Planner::io_weights(const Target& to, const oci::BlockIoResources& block_io) {
  const std::string path = "linux.resources.blockIO.";
  if (is_set(block_io.weight)) TRY(io_weight(to, path + "weight", "", *block_io.weight));
  if (is_set(block_io.leaf_weight)) {
    TRY(set(to, path + "leafWeight", "blkio.leaf_weight", std::to_string(*block_io.leaf_weight)));
  }
  for (std::size_t i = 0; i < block_io.weight_device.size(); ++i) {
    const oci::WeightDevice& each = block_io.weight_device[i];
    const std::string here = path + "weightDevice[" + std::to_string(i) + "].";
    const std::string device = device_number(each.major, each.minor);
    if (is_set(each.weight)) TRY(io_weight(to, here + "weight", device, *each.weight));
    if (is_set(each.leaf_weight)) {
      TRY(set(to, here + "leafWeight", "blkio.leaf_weight_device",
              device + ' ' + std::to_string(*each.leaf_weight)));
    }
  }
  return {};
}

base::Result<void> Planner::throttles(const Target& to,
                                      const std::vector<oci::ThrottleDevice>& devices,
                                      const std::string& name, const char* v1_file,
                                      const char* v2_key) {
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const oci::ThrottleDevice& each = devices[i];
    const std::string device = device_number(each.major, each.minor) + ' ';
    const std::string rate = std::to_string(each.rate);
    const std::string v2_rate = each.rate == 0 ? "max" : rate;
    TRY(set(to, "linux.resources.blockIO." + name + '[' + std::to_string(i) + ']',
            to.v1() ? v1_file : "io.max",
            device + (to.v1() ? rate : std::string(v2_key) + '=' + v2_rate)));
  }
  return {};
}

base::Result<void> Planner::block_io(const oci::BlockIoResources& block_io) {
  Target to = target("blkio");
  if (to.version == Version::None) to = target("io");
  TRY(io_weights(to, block_io));
  TRY(throttles(to, block_io.throttle_read_bps_device, "throttleReadBpsDevice",
                "blkio.throttle.read_bps_device", "rbps"));
  TRY(throttles(to, block_io.throttle_write_bps_device, "throttleWriteBpsDevice",
                "blkio.throttle.write_bps_device", "wbps"));
  TRY(throttles(to, block_io.throttle_read_iops_device, "throttleReadIOPSDevice",
                "blkio.throttle.read_iops_device", "riops"));
  return throttles(to, block_io.throttle_write_iops_device, "throttleWriteIOPSDevice",
                   "blkio.throttle.write_iops_device", "wiops");
}

base::Result<void> Planner::hugepages(const std::vector<oci::HugepageLimit>& limits) {
  const Target to = target("hugetlb");
  for (std::size_t i = 0; i < limits.size(); ++i) {
    const std::string origin = "linux.resources.hugepageLimits[" + std::to_string(i) + ']';
    const std::string& size = limits[i].page_size;
    if (size.empty() || size.find('/') != std::string::npos) {
      return base::fail(ErrorKind::Invalid, origin + ".pageSize: not a page size: " + size);
    }
    const std::string value = std::to_string(limits[i].limit);
    const std::string end = to.v1() ? "limit_in_bytes" : "max";
    TRY(set(to, origin, "hugetlb." + size + '.' + end, value));
    // Reservations have a limit of their own on newer kernels; without it only faults are limited.
    TRY(set(to, origin, "hugetlb." + size + ".rsvd." + end, value, true));
  }
  return {};
}

base::Result<void> Planner::network(const oci::NetworkResources& network) {
  const std::string path = "linux.resources.network.";
  if (network.class_id) {
    TRY(set(target("net_cls"), path + "classID", "net_cls.classid",
            std::to_string(*network.class_id), *network.class_id == 0));
  }
  for (const oci::InterfacePriority& each : network.priorities) {
    TRY(set(target("net_prio"), path + "priorities", "net_prio.ifpriomap",
            each.name + ' ' + std::to_string(each.priority)));
  }
  return {};
}

base::Result<void> Planner::rdma(const std::map<std::string, oci::RdmaLimit>& limits) {
  for (const auto& [device, limit] : limits) {
    std::string value = device;
    if (limit.hca_handles) value += " hca_handle=" + std::to_string(*limit.hca_handles);
    if (limit.hca_objects) value += " hca_object=" + std::to_string(*limit.hca_objects);
    if (value != device)
      TRY(set(target("rdma"), "linux.resources.rdma." + device, "rdma.max", value));
  }
  return {};
}

base::Result<void> Planner::unified(const std::map<std::string, std::string>& files) {
  for (const auto& [file, content] : files) {
    const std::string origin = "linux.resources.unified[" + file + ']';
    if (file.find('/') != std::string::npos || file.find('.') == std::string::npos ||
        file.starts_with('.')) {
      return base::fail(ErrorKind::Invalid, origin + ": not the name of a cgroup file");
    }
    const std::string controller = file.substr(0, file.find('.'));
    const Hierarchy* v2 = host_.unified();
    if (v2 == nullptr || (controller != "cgroup" && !v2->has(controller))) {
      return base::fail(
          ErrorKind::Unsupported,
          origin + ": invalid configuration: this host has no cgroup v2 controller " + controller);
    }
    const Target to{controller == "cgroup" ? "" : controller, Version::V2};
    // Files like io.max take one line per write.
    for (std::size_t at = 0; at < content.size();) {
      const std::size_t end = std::min(content.find('\n', at), content.size());
      if (end > at) TRY(set(to, origin, file, content.substr(at, end - at)));
      at = end + 1;
    }
  }
  return {};
}

}  // namespace

void order_for_update(ResourcePlan& plan, std::uint64_t memory_swap_now) {
  const auto limit = std::ranges::find(plan.settings, "memory.limit_in_bytes", &Setting::file);
  const auto swap = std::ranges::find(plan.settings, "memory.memsw.limit_in_bytes", &Setting::file);
  if (limit == plan.settings.end() || swap == plan.settings.end()) return;
  std::uint64_t wanted = 0;
  const std::string& text = limit->value;
  // "-1" does not parse and is the largest of all.
  const bool unlimited =
      std::from_chars(text.data(), text.data() + text.size(), wanted).ec != std::errc{};
  if (unlimited || wanted > memory_swap_now) std::iter_swap(limit, swap);
}

std::uint64_t cpu_weight_of_shares(std::uint64_t shares) {
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  // A quadratic curve through (2, 1), (1024, 100) and (262144, 10000) on logarithmic scales.
  const double l = std::log2(static_cast<double>(shares));
  return static_cast<std::uint64_t>(std::ceil(std::pow(10.0, (l * l + 125 * l) / 612 - 7.0 / 34)));
}

std::uint64_t io_weight_of_blkio(std::uint64_t weight) {
  const std::uint64_t clamped = std::clamp<std::uint64_t>(weight, 10, 1000);
  return 1 + (clamped - 10) * 9999 / 990;
}

base::Result<ResourcePlan> plan_resources(const oci::Resources& resources, const Host& host) {
  Planner planner(host);
  TRY(planner.cpuset(resources.cpu));
  TRY(planner.memory(resources.memory));
  TRY(planner.cpu(resources.cpu));
  TRY(planner.pids(resources.pids));
  TRY(planner.block_io(resources.block_io));
  TRY(planner.hugepages(resources.hugepage_limits));
  TRY(planner.network(resources.network));
  TRY(planner.rdma(resources.rdma));
  TRY(planner.unified(resources.unified));
  ResourcePlan plan = planner.take();
  plan.devices = resources.devices;
  const std::vector<oci::DeviceRule> always = default_device_rules();
  plan.devices.insert(plan.devices.end(), always.begin(), always.end());
  return plan;
}

}  // namespace runtime::cgroup
