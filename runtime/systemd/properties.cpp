// The table of properties, and the few conversions that its rows need.
#include "runtime/systemd/properties.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "runtime/cgroup/resources.hpp"

namespace runtime::systemd {
namespace {

using dbus::Value;
using oci::Resources;
using MaybeValue = std::optional<Value>;
using cgroup::Version;

constexpr std::uint64_t kInfinity = UINT64_MAX;
constexpr std::uint64_t kDefaultPeriod = 100000;
constexpr std::size_t kMaxProcessor = 65535;

template <typename Number>
MaybeValue limit(const std::optional<Number>& number) {
  if (!number || *number == 0) return std::nullopt;
  return *number < 0 ? kInfinity : static_cast<std::uint64_t>(*number);
}

MaybeValue limit_text(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  if (text == "max") return kInfinity;
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
  return number;
}

// systemd rounds down to 10 ms, so that a little more must be asked for.
std::uint64_t quota_per_second(std::uint64_t quota, std::uint64_t period) {
  constexpr std::uint64_t kStep = 10000;
  constexpr std::uint64_t kSecond = 1000000;
  constexpr std::uint64_t kMost = kInfinity / kSecond / 4;  // of both, so that nothing overflows
  period = std::min(period, kMost);
  const std::uint64_t whole = std::min(quota / period, kMost);
  const std::uint64_t exact = whole * kSecond + quota % period * kSecond / period;
  return (exact + kStep - 1) / kStep * kStep;
}

MaybeValue cpu_quota(const Resources& resources) {
  const oci::CpuResources& cpu = resources.cpu;
  const std::int64_t quota = cpu.quota.value_or(0);
  if (quota < 0) return kInfinity;
  if (quota == 0) return std::nullopt;
  const std::uint64_t period = cpu.period.value_or(0);
  return quota_per_second(static_cast<std::uint64_t>(quota), period == 0 ? kDefaultPeriod : period);
}

MaybeValue memory_swap(const Resources& resources) {
  const oci::MemoryResources& memory = resources.memory;
  if (!memory.swap || *memory.swap == 0) return std::nullopt;
  if (*memory.swap < 0) return kInfinity;
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(*memory.swap - memory.limit.value_or(0), 0));
}

MaybeValue weight_of_shares(const Resources& resources) {
  const std::uint64_t shares = resources.cpu.shares.value_or(0);
  if (shares == 0 || resources.cpu.idle.value_or(0) == 1) return std::nullopt;
  return cgroup::cpu_weight_of_shares(shares);
}

MaybeValue mask(std::string_view list) {
  if (list.empty()) return std::nullopt;
  auto bits = mask_of_list(list);
  if (!bits) return std::nullopt;  // the kernel's own word on it follows
  return *std::move(bits);
}

/// One way from linux.resources to a property; the last row of a name that has a value wins.
struct Row {
  Version version;
  const char* controller;
  const char* property;
  unsigned since;
  MaybeValue (*value)(const Resources&);
};

const std::string* unified(const Resources& resources, const char* file) {
  const auto at = resources.unified.find(file);
  return at == resources.unified.end() ? nullptr : &at->second;
}

template <std::size_t kSize>
struct Name {
  char text[kSize];
  // NOLINTNEXTLINE(google-explicit-constructor): a literal is to become an argument.
  consteval Name(const char (&name)[kSize]) { std::copy_n(name, kSize, text); }
};

// A file of linux.resources.unified whose content is a limit.
template <Name kFile>
MaybeValue unified_limit(const Resources& resources) {
  const std::string* text = unified(resources, kFile.text);
  return text == nullptr ? std::nullopt : limit_text(*text);
}

template <Name kFile>
MaybeValue unified_mask(const Resources& resources) {
  const std::string* text = unified(resources, kFile.text);
  return text == nullptr ? std::nullopt : mask(*text);
}

// cpu.max: "quota period", the second may be missing.
struct CpuMax {
  MaybeValue quota;
  std::uint64_t period = kDefaultPeriod;
};

CpuMax cpu_max(const Resources& resources) {
  CpuMax out;
  const std::string* text = unified(resources, "cpu.max");
  if (text == nullptr) return out;
  const std::size_t space = std::min(text->find(' '), text->size());
  const MaybeValue quota = limit_text(std::string_view(*text).substr(0, space));
  if (space < text->size()) {
    const MaybeValue period = limit_text(std::string_view(*text).substr(space + 1));
    if (!period || std::get<std::uint64_t>(*period) == 0) return out;
    out.period = std::get<std::uint64_t>(*period);
  }
  if (!quota) return out;
  const std::uint64_t number = std::get<std::uint64_t>(*quota);
  out.quota = number == kInfinity ? number : quota_per_second(number, out.period);
  return out;
}

MaybeValue idle_weight(bool is_idle) {
  if (!is_idle) return std::nullopt;
  return std::uint64_t{0};
}

constexpr std::array kRows{
    Row{Version::V2, "memory", "MemoryMax", 0,
        [](const Resources& r) { return limit(r.memory.limit); }},
    Row{Version::V2, "memory", "MemoryLow", 0,
        [](const Resources& r) { return limit(r.memory.reservation); }},
    Row{Version::V2, "memory", "MemorySwapMax", 0, memory_swap},
    Row{Version::V1, "memory", "MemoryLimit", 0,
        [](const Resources& r) { return limit(r.memory.limit); }},
    Row{Version::V2, "cpu", "CPUWeight", 0, weight_of_shares},
    Row{Version::V2, "cpu", "CPUWeight", 252,
        [](const Resources& r) { return idle_weight(r.cpu.idle.value_or(0) == 1); }},
    Row{Version::V1, "cpu", "CPUShares", 0, [](const Resources& r) { return limit(r.cpu.shares); }},
    Row{Version::V2, "cpu", "CPUQuotaPerSecUSec", 0, cpu_quota},
    Row{Version::V1, "cpu", "CPUQuotaPerSecUSec", 0, cpu_quota},
    Row{Version::V2, "cpu", "CPUQuotaPeriodUSec", 242,
        [](const Resources& r) { return limit(r.cpu.period); }},
    Row{Version::V1, "cpu", "CPUQuotaPeriodUSec", 242,
        [](const Resources& r) { return limit(r.cpu.period); }},
    Row{Version::V2, "cpuset", "AllowedCPUs", 244,
        [](const Resources& r) { return mask(r.cpu.cpus); }},
    Row{Version::V2, "cpuset", "AllowedMemoryNodes", 244,
        [](const Resources& r) { return mask(r.cpu.mems); }},
    Row{Version::V2, "pids", "TasksMax", 0,
        [](const Resources& r) {
          // 0 forbids every fork; the scope's first process is there already, so 1 does too.
          return r.pids.limit == 0 ? MaybeValue(std::uint64_t{1}) : limit(r.pids.limit);
        }},
    Row{Version::V1, "pids", "TasksMax", 0,
        [](const Resources& r) {
          return r.pids.limit == 0 ? MaybeValue(std::uint64_t{1}) : limit(r.pids.limit);
        }},
    Row{Version::V2, "io", "IOWeight", 0,
        [](const Resources& r) -> MaybeValue {
          if (r.block_io.weight.value_or(0) == 0) return std::nullopt;
          return cgroup::io_weight_of_blkio(*r.block_io.weight);
        }},
    Row{Version::V1, "blkio", "BlockIOWeight", 0,
        [](const Resources& r) { return limit(r.block_io.weight); }},
    Row{Version::V2, "memory", "MemoryMax", 0, unified_limit<"memory.max">},
    Row{Version::V2, "memory", "MemoryHigh", 0, unified_limit<"memory.high">},
    Row{Version::V2, "memory", "MemoryLow", 0, unified_limit<"memory.low">},
    Row{Version::V2, "memory", "MemoryMin", 0, unified_limit<"memory.min">},
    Row{Version::V2, "memory", "MemorySwapMax", 0, unified_limit<"memory.swap.max">},
    Row{Version::V2, "memory", "OOMPolicy", 253,
        [](const Resources& r) -> MaybeValue {
          const std::string* group = unified(r, "memory.oom.group");
          if (group == nullptr) return std::nullopt;
          return std::string(*group == "1" ? "kill" : "continue");
        }},
    Row{Version::V2, "cpu", "CPUWeight", 0, unified_limit<"cpu.weight">},
    Row{Version::V2, "cpu", "CPUWeight", 252,
        [](const Resources& r) {
          const std::string* idle = unified(r, "cpu.idle");
          return idle_weight(idle != nullptr && *idle == "1");
        }},
    Row{Version::V2, "cpu", "CPUQuotaPerSecUSec", 0,
        [](const Resources& r) { return cpu_max(r).quota; }},
    Row{Version::V2, "cpu", "CPUQuotaPeriodUSec", 242,
        [](const Resources& r) -> MaybeValue {
          const CpuMax max = cpu_max(r);
          if (!max.quota) return std::nullopt;
          return max.period;
        }},
    Row{Version::V2, "cpuset", "AllowedCPUs", 244, unified_mask<"cpuset.cpus">},
    Row{Version::V2, "cpuset", "AllowedMemoryNodes", 244, unified_mask<"cpuset.mems">},
    Row{Version::V2, "pids", "TasksMax", 0, unified_limit<"pids.max">},
};

}  // namespace

base::Result<std::vector<std::uint8_t>> mask_of_list(std::string_view list) {
  const auto wrong = [&] {
    return base::fail(base::ErrorKind::Invalid, "not a list of numbers: " + std::string(list));
  };
  std::vector<std::uint8_t> out;
  for (std::string_view rest = list; !rest.empty();) {
    const std::string_view range = rest.substr(0, rest.find_first_of(",\n"));
    rest.remove_prefix(std::min(range.size() + 1, rest.size()));
    if (range.empty()) continue;
    std::size_t first = 0;
    const char* const end = range.data() + range.size();
    auto parsed = std::from_chars(range.data(), end, first);
    std::size_t last = first;
    if (parsed.ec == std::errc{} && parsed.ptr != end && *parsed.ptr == '-') {
      parsed = std::from_chars(parsed.ptr + 1, end, last);
    }
    if (parsed.ec != std::errc{} || parsed.ptr != end) return wrong();
    if (last < first || last > kMaxProcessor) return wrong();
    out.resize(std::max(out.size(), last / 8 + 1));
    for (std::size_t each = first; each <= last; ++each) {
      out[each / 8] = static_cast<std::uint8_t>(out[each / 8] | 1U << each % 8);
    }
  }
  if (out.empty()) return wrong();
  return out;
}

Properties resource_properties(const Resources& resources, const cgroup::Host& host) {
  Properties out;
  for (const Row& row : kRows) {
    if (host.version_of(row.controller) != row.version) continue;
    if (MaybeValue value = row.value(resources)) {
      merge(out, {{row.property, *std::move(value), row.since}});
    }
  }
  return out;
}

Properties unit_properties(const UnitName& name, std::string_view id, std::uint32_t pid) {
  Properties out{{"Description", "container " + std::string(id), 0}};
  if (name.is_slice()) {
    out.push_back({"Wants", std::vector<std::string>{name.slice}, 0});
  } else {
    out.push_back({"Slice", name.slice, 0});
    out.push_back({"Delegate", true, 0});
    out.push_back({"PIDs", std::vector<std::uint32_t>{pid}, 0});
  }
  // Without accounting systemd leaves controllers off that nobody limits.
  for (const char* each :
       {"MemoryAccounting", "CPUAccounting", "IOAccounting", "TasksAccounting"}) {
    out.push_back({each, true, 0});
  }
  // A container neither waits for the host's boot nor ends with its shutdown's first phase.
  out.push_back({"DefaultDependencies", false, 0});
  return out;
}

void merge(Properties& properties, Properties more) {
  for (Property& each : more) {
    std::erase_if(properties, [&](const Property& old) { return old.name == each.name; });
    properties.push_back(std::move(each));
  }
}

bool drop_newer(Properties& properties, unsigned version) {
  return std::erase_if(properties, [&](const Property& each) { return each.since > version; }) > 0;
}

}  // namespace runtime::systemd
