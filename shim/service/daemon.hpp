// From `start` to a process of its own.
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace shim::service {

inline constexpr int kListenerFd = 3;

struct DaemonOptions {
  std::string bundle;       ///< has containerd's FIFO `log`
  std::string shim_cgroup;  ///< empty: containerd's
};

/// Called in a forked child: a session of its own, nothing of containerd's open but the listener as
/// kListenerFd, and the log on standard error; one more likely to be killed for memory than
/// containerd. Restarts on the way of `workload::seal_self` are harmless.
base::Result<void> become_daemon(base::UniqueFd listener, const DaemonOptions& options);

}  // namespace shim::service
