// The systemd cgroup driver's part in a container's life: runtime/systemd knows how to ask, this
// knows what for.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "oci/spec.hpp"
#include "runtime/cgroup/host.hpp"
#include "runtime/systemd/manager.hpp"

namespace runtime::container {

/// A unit that is going to be made, and the connection to who makes it.
class ContainerUnit {
 public:
  /// By linux.cgroupsPath, at the manager of this process's user. Makes nothing.
  static base::Result<ContainerUnit> plan(const oci::Spec& spec, std::string_view id);

  /// Below the mount point of each hierarchy; begins with a slash.
  const std::string& cgroup() const { return cgroup_; }
  systemd::Unit unit() const { return {name_.unit, instance_}; }

  /// Makes it with what linux.resources and annotations ask of it. A scope begins with `pid` in it,
  /// into a slice somebody has to put it. AlreadyExists: the unit is somebody else's.
  base::Result<void> start(const oci::Spec& spec, std::string_view id, const cgroup::Host& host,
                           pid_t pid);

 private:
  ContainerUnit(systemd::Manager manager, systemd::Instance instance, systemd::UnitName name)
      : manager_(std::move(manager)), instance_(instance), name_(std::move(name)) {}

  systemd::Manager manager_;
  systemd::Instance instance_;
  systemd::UnitName name_;
  std::string cgroup_;
};

/// Tells the manager the new limits, so that it does not put back the old ones some day.
base::Result<void> update_unit(const systemd::Unit& unit, const oci::Resources& resources,
                               const cgroup::Host& host);

/// Lets the manager move a process, for callers who may not write cgroup.procs where the process
/// comes from. `below`: "" or "/x", relative to the unit's cgroup.
base::Result<void> attach_to_unit(const systemd::Unit& unit, const std::string& below, pid_t pid);

}  // namespace runtime::container
