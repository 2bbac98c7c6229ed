// The messages that io.containerd.cgroups.v1 and .v2 both have, with the same fields.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace shim::protocol::cgroup {

struct PidsStat {
  std::uint64_t current = 0;
  std::uint64_t limit = 0;
};

struct RdmaEntry {
  std::string device;
  std::uint32_t hca_handles = 0;
  std::uint32_t hca_objects = 0;
};

struct RdmaStat {
  std::vector<RdmaEntry> current;
  std::vector<RdmaEntry> limit;
};

struct NetworkStat {
  std::string name;
  std::uint64_t rx_bytes = 0;
  std::uint64_t rx_packets = 0;
  std::uint64_t rx_errors = 0;
  std::uint64_t rx_dropped = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t tx_packets = 0;
  std::uint64_t tx_errors = 0;
  std::uint64_t tx_dropped = 0;
};

}  // namespace shim::protocol::cgroup
