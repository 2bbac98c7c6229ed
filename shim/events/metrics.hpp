// A container's counters as containerd's Metrics: those of v1 on hosts with v1 controllers, those
// of v2 where v2 has them all.
#pragma once

#include "runtime/cgroup/placement.hpp"
#include "shim/protocol/well_known.hpp"

namespace shim::events {

/// cgroup1::Metrics or cgroup2::Metrics.
protocol::Any read_metrics(const runtime::cgroup::Paths& paths);

}  // namespace shim::events
