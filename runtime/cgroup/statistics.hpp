// What a container has used: the counters of its cgroups (kernel docs cgroup-v1/{cpuacct,memory,
// pids,blkio-controller}.rst, cgroup-v2.rst). A controller or file that is missing leaves zeros.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/cgroup/placement.hpp"

namespace runtime::cgroup {

/// Times in nanoseconds.
struct CpuStatistics {
  std::uint64_t total = 0;
  std::uint64_t kernel = 0;
  std::uint64_t user = 0;
  std::vector<std::uint64_t> per_cpu;  ///< v1 only
  std::uint64_t periods = 0;
  std::uint64_t throttled_periods = 0;
  std::uint64_t throttled_time = 0;
};

/// Bytes; no limit is UINT64_MAX.
struct MemoryUsage {
  std::uint64_t usage = 0;
  std::uint64_t limit = 0;
  std::uint64_t max = 0;  ///< the highest usage so far
  std::uint64_t failures = 0;
};

struct MemoryStatistics {
  MemoryUsage memory;
  MemoryUsage swap;    ///< v1: memory and swap together
  MemoryUsage kernel;  ///< v1 only
  std::uint64_t cache = 0;
  std::map<std::string, std::uint64_t> raw;  ///< memory.stat
};

/// `limit` 0: none.
struct PidsStatistics {
  std::uint64_t current = 0;
  std::uint64_t limit = 0;
};

/// Bytes or operations of one kind on one device.
struct IoEntry {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::string operation;  ///< "Read", "Write", ...
  std::uint64_t value = 0;

  bool operator==(const IoEntry&) const = default;
};

struct Statistics {
  CpuStatistics cpu;
  MemoryStatistics memory;
  PidsStatistics pids;
  std::vector<IoEntry> io_bytes;
  std::vector<IoEntry> io_operations;
};

Statistics read_statistics(const Paths& paths);

/// Pure: lines of "key value"; others are skipped.
std::map<std::string, std::uint64_t> parse_keyed(std::string_view text);
/// Pure: v1's lines of "8:0 Read 4096"; the line with the total is skipped.
std::vector<IoEntry> parse_v1_io(std::string_view text);
/// Pure: v2's lines of "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 ..."; appends to both lists.
void parse_v2_io(std::string_view text, std::vector<IoEntry>& bytes,
                 std::vector<IoEntry>& operations);

}  // namespace runtime::cgroup
