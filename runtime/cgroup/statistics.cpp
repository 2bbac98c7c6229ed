// Reading of counters.
#include "runtime/cgroup/statistics.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "base/file.hpp"

namespace runtime::cgroup {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20;
constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();
// v1 writes "no limit" as the largest multiple of the page size below 2^63.
constexpr std::uint64_t kV1Unlimited = (std::uint64_t{1} << 63) - 65536;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t out = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{}) return std::nullopt;
  return out;
}

template <typename Visit>
void for_each_part(std::string_view text, std::string_view separators, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    if (end > 0) visit(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> out;
  for_each_part(line, " ", [&](std::string_view word) { out.push_back(word); });
  return out;
}

bool parse_device(std::string_view text, IoEntry& entry) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const auto major = number(text.substr(0, colon));
  const auto minor = number(text.substr(colon + 1));
  if (!major || !minor) return false;
  entry.major = *major;
  entry.minor = *minor;
  return true;
}

// The files of one cgroup directory.
class Directory {
 public:
  explicit Directory(const std::string& path) : path_(path) {}
  std::string text(const char* file) const {
    return base::read_file(path_ + '/' + file, kMaxFile).value_or("");
  }
  std::uint64_t value(const char* file) const { return number(text(file)).value_or(0); }
  /// "max" is unlimited, and so is what v1 calls so; 0 without the file.
  std::uint64_t limit(const char* file) const {
    const std::string content = text(file);
    if (content.starts_with("max")) return kUnlimited;
    const std::uint64_t out = number(content).value_or(0);
    return out >= kV1Unlimited ? kUnlimited : out;
  }
  std::map<std::string, std::uint64_t> keyed(const char* file) const {
    return parse_keyed(text(file));
  }

 private:
  const std::string& path_;
};

CpuStatistics read_v1_cpuacct(const Directory& directory) {
  CpuStatistics out;
  out.total = directory.value("cpuacct.usage");
  for_each_part(directory.text("cpuacct.usage_percpu"), " \n",
                [&](std::string_view word) { out.per_cpu.push_back(number(word).value_or(0)); });
  const auto tick =
      std::uint64_t{1'000'000'000} / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  auto stat = directory.keyed("cpuacct.stat");
  out.user = stat["user"] * tick;
  out.kernel = stat["system"] * tick;
  return out;
}

void read_throttling(std::map<std::string, std::uint64_t> stat, CpuStatistics& out) {
  out.periods = stat["nr_periods"];
  out.throttled_periods = stat["nr_throttled"];
  out.throttled_time =
      stat.contains("throttled_usec") ? stat["throttled_usec"] * 1000 : stat["throttled_time"];
}

CpuStatistics read_v2_cpu(const Directory& directory) {
  CpuStatistics out;
  auto stat = directory.keyed("cpu.stat");
  out.total = stat["usage_usec"] * 1000;
  out.user = stat["user_usec"] * 1000;
  out.kernel = stat["system_usec"] * 1000;
  read_throttling(std::move(stat), out);
  return out;
}

MemoryUsage read_v1_usage(const Directory& directory, const std::string& prefix) {
  return {directory.value((prefix + "usage_in_bytes").c_str()),
          directory.limit((prefix + "limit_in_bytes").c_str()),
          directory.value((prefix + "max_usage_in_bytes").c_str()),
          directory.value((prefix + "failcnt").c_str())};
}

MemoryStatistics read_v1_memory(const Directory& directory) {
  MemoryStatistics out;
  out.memory = read_v1_usage(directory, "memory.");
  out.swap = read_v1_usage(directory, "memory.memsw.");
  out.kernel = read_v1_usage(directory, "memory.kmem.");
  out.raw = directory.keyed("memory.stat");
  out.cache = out.raw["cache"];
  return out;
}

MemoryStatistics read_v2_memory(const Directory& directory) {
  MemoryStatistics out;
  out.memory = {directory.value("memory.current"), directory.limit("memory.max"),
                directory.value("memory.peak"), directory.keyed("memory.events")["max"]};
  out.swap = {directory.value("memory.swap.current"), directory.limit("memory.swap.max"),
              directory.value("memory.swap.peak"), directory.keyed("memory.swap.events")["max"]};
  out.raw = directory.keyed("memory.stat");
  out.cache = out.raw["file"];
  return out;
}

PidsStatistics read_pids_statistics(const Directory& directory) {
  const std::uint64_t limit = directory.limit("pids.max");
  return {directory.value("pids.current"), limit == kUnlimited ? 0 : limit};
}

}  // namespace

std::map<std::string, std::uint64_t> parse_keyed(std::string_view text) {
  std::map<std::string, std::uint64_t> out;
  for_each_part(text, "\n", [&](std::string_view line) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return;
    if (const auto value = number(line.substr(space + 1)))
      out[std::string(line.substr(0, space))] = *value;
  });
  return out;
}

std::vector<IoEntry> parse_v1_io(std::string_view text) {
  std::vector<IoEntry> out;
  for_each_part(text, "\n", [&](std::string_view line) {
    const auto parts = words(line);
    IoEntry entry;
    if (parts.size() != 3 || !parse_device(parts[0], entry)) return;
    entry.operation = std::string(parts[1]);
    entry.value = number(parts[2]).value_or(0);
    out.push_back(std::move(entry));
  });
  return out;
}

void parse_v2_io(std::string_view text, std::vector<IoEntry>& bytes,
                 std::vector<IoEntry>& operations) {
  struct Key {
    std::string_view name;
    const char* operation;
    bool counts_bytes;
  };
  constexpr Key kKeys[] = {{"rbytes=", "Read", true},
                           {"wbytes=", "Write", true},
                           {"rios=", "Read", false},
                           {"wios=", "Write", false}};
  for_each_part(text, "\n", [&](std::string_view line) {
    const auto parts = words(line);
    IoEntry entry;
    if (parts.empty() || !parse_device(parts[0], entry)) return;
    for (const std::string_view part : parts) {
      for (const Key& key : kKeys) {
        if (!part.starts_with(key.name)) continue;
        entry.operation = key.operation;
        entry.value = number(part.substr(key.name.size())).value_or(0);
        (key.counts_bytes ? bytes : operations).push_back(entry);
      }
    }
  });
}

Statistics read_statistics(const Paths& paths) {
  Statistics out;
  const auto v2 = paths.find("");
  const auto v1 = [&](const char* controller) -> std::optional<Directory> {
    const auto at = paths.find(controller);
    if (at == paths.end()) return std::nullopt;
    return Directory(at->second);
  };
  const bool only_v2 = paths.size() == 1 && v2 != paths.end();
  if (only_v2) {
    const Directory directory(v2->second);
    out.cpu = read_v2_cpu(directory);
    out.memory = read_v2_memory(directory);
    out.pids = read_pids_statistics(directory);
    parse_v2_io(directory.text("io.stat"), out.io_bytes, out.io_operations);
    return out;
  }
  if (const auto cpuacct = v1("cpuacct")) out.cpu = read_v1_cpuacct(*cpuacct);
  if (const auto cpu = v1("cpu")) read_throttling(cpu->keyed("cpu.stat"), out.cpu);
  if (const auto memory = v1("memory")) out.memory = read_v1_memory(*memory);
  if (const auto pids = v1("pids")) out.pids = read_pids_statistics(*pids);
  if (const auto blkio = v1("blkio")) {
    out.io_bytes = parse_v1_io(blkio->text("blkio.throttle.io_service_bytes_recursive"));
    out.io_operations = parse_v1_io(blkio->text("blkio.throttle.io_serviced_recursive"));
  }
  return out;
}

}  // namespace runtime::cgroup
