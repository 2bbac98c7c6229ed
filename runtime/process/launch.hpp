// The parent's side: makes the process, answers it, and reports what goes wrong in it.
#pragma once

#include <sys/types.h>

#include <functional>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "runtime/process/channel.hpp"
#include "runtime/process/plan.hpp"

namespace runtime::process {

/// A child of the calling process that waits for execute(). Not ended by its destructor.
struct Child {
  pid_t pid = 0;
  base::UniqueFd pidfd;
  Channel channel;

  /// Lets it execute its program; returns when the program runs (or died), or with the error.
  base::Result<void> execute() const;
  /// The same for a child that waits at exec.fifo: it goes there.
  base::Result<void> let_go() const;
  /// SIGKILL, and waits.
  void end() const;
};

/// What the parent does between the child's steps. All may be empty.
struct Steps {
  /// `in_unified`: clone3 has put it into the v2 cgroup already.
  std::function<base::Result<void>(pid_t pid, bool in_unified)> enter_cgroups;
  /// The container's process exists: id maps, record.
  std::function<base::Result<void>(pid_t pid)> attach;
  std::function<base::Result<void>(pid_t pid)> run_hooks;
  std::function<base::Result<void>(base::UniqueFd master)> take_terminal;
  std::function<base::Result<void>(pid_t pid, base::UniqueFd listener)> take_listener;
  /// Resource limits, while the process still has the ids that prlimit(2) wants.
  std::function<base::Result<void>(pid_t pid)> set_limits;
};

/// Returns when the child is ready to execute. On failure no process is left. `cgroup`: a v2
/// directory or -1.
base::Result<Child> launch(Plan& plan, const Steps& steps, int cgroup);

}  // namespace runtime::process
