// linux.resources as a list of writes: all conversions and all ordering are decided here, without
// touching the kernel (runtime-spec 1.3.0 config-linux.md; kernel docs cgroup-v1/*, cgroup-v2.rst).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "oci/resources.hpp"
#include "runtime/cgroup/host.hpp"

namespace runtime::cgroup {

/// One write(2) of `value` to `file` in the cgroup directory of `controller`.
struct Setting {
  std::string origin;      ///< JSON path of what is asked, for errors
  std::string controller;  ///< "" for a file that every v2 cgroup has
  Version version = Version::V1;
  std::string file;
  std::string value;
  /// Written when `file` does not exist (kernels name the weights of block I/O differently).
  std::string other_file = {};
  std::string other_value = {};
  /// A kernel may lack the file or have given up what it did (EOPNOTSUPP): the value asks for
  /// nothing else than that, or the plan has a warning.
  bool optional = false;
  /// Belongs to the next setting: where the kernel refuses the pair in this order (EINVAL), it
  /// takes it in the other.
  bool swaps_with_next = false;

  bool operator==(const Setting&) const = default;
};

struct ResourcePlan {
  std::vector<Setting> settings;         ///< in the order in which they have to be written
  std::vector<oci::DeviceRule> devices;  ///< the last that matches wins, default is deny
  std::vector<std::string> warnings;     ///< asked for and ignored, one sentence each
};

/// Pure; for a new cgroup, whose limits are the kernel's defaults. Unsupported for requests that
/// this host cannot fulfil (a controller that is not there, `unified` without v2), Invalid for
/// values that no kernel takes; both with the JSON path in the message. `devices` are the
/// container's rules followed by default_device_rules().
base::Result<ResourcePlan> plan_resources(const oci::Resources& resources, const Host& host);

/// Pure; makes a plan fit for a cgroup that has limits already. v1 wants memory alone to stay below
/// memory with swap after each write, so a limit above `memory_swap_now` (memory.memsw's value) has
/// to be preceded by the other.
void order_for_update(ResourcePlan& plan, std::uint64_t memory_swap_now);

/// cgroup v1's cpu.shares (2 to 262144) on v2's scale (1 to 10000), so that 1024 becomes 100.
std::uint64_t cpu_weight_of_shares(std::uint64_t shares);
/// blkio's weight (10 to 1000) on the scale of io.weight (1 to 10000).
std::uint64_t io_weight_of_blkio(std::uint64_t weight);

}  // namespace runtime::cgroup
