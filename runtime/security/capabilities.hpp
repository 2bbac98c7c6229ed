// The capabilities of a container's process: capabilities(7), runtime-spec config.md "Linux
// Process". What cannot be granted is a warning and is left out (the spec: SHOULD NOT fail).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "oci/process.hpp"

namespace runtime::security {

/// Bit n is capability number n.
using CapabilityMask = std::uint64_t;

struct CapabilitySets {
  CapabilityMask bounding = 0;
  CapabilityMask effective = 0;
  CapabilityMask inheritable = 0;
  CapabilityMask permitted = 0;
  CapabilityMask ambient = 0;
};

/// Of every capability that this program knows, by number: "CAP_CHOWN" first.
std::span<const std::string_view> capability_names();
std::optional<unsigned> capability_number(std::string_view name);

/// The sets of the calling thread (ambient is not read: it stays 0).
base::Result<CapabilitySets> held_capabilities();

/// What to set, and what was left out: one line per warning, for the log.
struct CapabilityPlan {
  CapabilitySets sets;
  CapabilityMask bounding_to_drop = 0;
  std::vector<std::string> warnings;
};

/// Pure. `held` are the sets of the process that will apply the plan, in its final user namespace;
/// all of them when it enters a new one.
CapabilityPlan plan_capabilities(const oci::Capabilities& wanted, const CapabilitySets& held);

/// Before the ids change: reduces the bounding set (needs CAP_SETPCAP) and makes the kernel keep
/// the permitted set over the change (PR_SET_KEEPCAPS).
base::Result<void> apply_bounding_set(const CapabilityPlan& plan);
/// After the ids changed: ends PR_SET_KEEPCAPS, sets the other four. Allocates nothing on success.
base::Result<void> apply_capabilities(const CapabilityPlan& plan);

}  // namespace runtime::security
