// The cgroups of a container that is being made, by either driver: where, with which limits, and
// what the container sees of them.
#pragma once

#include <sys/types.h>

#include <optional>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "oci/spec.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/container/container.hpp"
#include "runtime/container/unit.hpp"
#include "runtime/rootfs/mount_plan.hpp"
#include "runtime/state/store.hpp"

namespace runtime::container {

/// Keeps the record up to date. Refers to all that it is made of. The order of use is that of the
/// members; without a unit make() comes before any process, with one enter() does it.
class ContainerCgroups {
 public:
  ContainerCgroups(const Host& host, const oci::Spec& spec, const state::Entry& entry,
                   state::Record& record)
      : host_(host), spec_(spec), entry_(entry), record_(record) {}

  /// Fills the record's paths and unit; makes nothing. WrongState when something lives there: the
  /// record then names nothing.
  base::Result<void> place();
  bool has_unit() const { return unit_.has_value(); }
  base::Result<void> make();
  /// `in_unified`: it is in that of v2 already.
  base::Result<void> enter(pid_t pid, bool in_unified);
  /// Where the container has no cgroup of its own, it sees the one that it is in.
  void show_in(rootfs::RootfsPlan& rootfs) const;
  /// The same for a container that exists, without place().
  base::Result<void> show_recorded_in(rootfs::RootfsPlan& rootfs);
  cgroup::Cgroup handle() const { return cgroup::Cgroup(record_.cgroup); }

 private:
  bool may_lack_cgroups() const;
  base::Result<void> keep(const cgroup::Paths& paths);
  base::Result<void> start_unit(pid_t pid);

  const Host& host_;
  const oci::Spec& spec_;
  const state::Entry& entry_;
  state::Record& record_;
  cgroup::Host cgroup_host_;
  std::optional<ContainerUnit> unit_;  ///< with the systemd driver
};

}  // namespace runtime::container
