// The cgroups of one container: made, filled, limited, frozen, killed, removed.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "runtime/cgroup/placement.hpp"
#include "runtime/cgroup/resources.hpp"

namespace runtime::cgroup {

/// A name for existing or future directories; owns nothing: they stay until remove(). Not for
/// use by several threads at once. The order of a container's start is
///   place() -> check_unused() -> (intent record) -> create() -> apply() -> add() or clone3 with
///   open_unified().
/// Limits come first, so that nothing ever runs unlimited; cpuset has to be set before add().
class Cgroup {
 public:
  /// From place(), or from the state file.
  explicit Cgroup(Paths paths) : paths_(std::move(paths)) {}

  const Paths& paths() const { return paths_; }

  /// WrongState when something lives in it already, or it is frozen. To be asked before an intent
  /// names it, since whatever lives in a cgroup that is recorded is killed by who removes it.
  base::Result<void> check_unused() const;
  /// Makes the directories with their parents; fills in cpuset's empty cpus and mems; on v2 enables
  /// the controllers on the way down. Directories that exist are taken over. When a step fails,
  /// everything it made is removed.
  base::Result<void> create();
  /// The same for callers without rights: hierarchies in which they may not make directories are
  /// left out of paths(). Returns what was refused.
  base::Result<std::vector<std::string>> create_permitted();
  /// Writes the settings in order, then the device rules. Also for `update` (ResourcePlan::devices
  /// empty: device rules stay as they are).
  base::Result<void> apply(const ResourcePlan& plan);

  /// Moves a process, with all its threads, into every hierarchy.
  base::Result<void> add(pid_t pid) const;
  /// The same without v2, for a child that clone3 already put there.
  base::Result<void> add_to_v1(pid_t pid) const;
  /// The v2 directory for CLONE_INTO_CGROUP; an empty UniqueFd when there is no v2.
  base::Result<base::UniqueFd> open_unified() const;

  /// Does not return before every task is frozen (or thawed). Thaws again when that fails.
  base::Result<void> freeze() const;
  base::Result<void> thaw() const;
  /// False also when the cgroup is gone.
  base::Result<bool> frozen() const;

  /// All processes of this cgroup and of those below it, as seen in this pid namespace, sorted.
  /// Empty when the cgroup is gone.
  base::Result<std::vector<pid_t>> pids() const;
  /// Sends `signal` to every process in it. SIGKILL also ends those that are frozen, and is
  /// repeated until nothing lives (processes that fork included), for 10 seconds at most.
  base::Result<void> kill_all(int signal) const;
  /// Removes the directories and all below them; success when they are gone already. EBUSY is
  /// retried for 2 seconds: dead processes leave a cgroup a little later than they are reaped.
  base::Result<void> remove() const;

  /// Number of times that the kernel's OOM killer acted in it; 0 when that cannot be read.
  std::uint64_t oom_kills() const;

 private:
  Paths paths_;
};

}  // namespace runtime::cgroup
