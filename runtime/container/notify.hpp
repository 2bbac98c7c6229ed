// sd_notify(3) for containers, as runc does it: a service manager that started us with
// NOTIFY_SOCKET learns of READY=1 that the container's program says, and of nothing else from it.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "oci/spec.hpp"

namespace runtime::container {

/// Makes `directory` for the socket, to be seen in the container as /run/notify, and puts the mount
/// and the variable into the configuration.
base::Result<void> prepare_notify(oci::Spec& spec, const std::string& directory);

/// The container's end. It begins to exist before the program runs, or the program finds nothing.
class NotifySocket {
 public:
  /// NotFound when there is no directory: the container was created without.
  static base::Result<NotifySocket> listen(const std::string& directory);

  /// Returns when the container is ready or `container` (a pidfd) has ended. Says so to the
  /// manager's socket `manager` (a path, or "@name"); with `main` that this pid is the service from
  /// now on, and waits until the manager has taken note.
  base::Result<void> forward(const std::string& manager, int container, pid_t main) const;
  /// The same in a process of its own, without a main pid, for a caller that goes on.
  base::Result<void> forward_beside(const std::string& manager, int container) const;

 private:
  explicit NotifySocket(base::UniqueFd socket) : socket_(std::move(socket)) {}
  base::UniqueFd socket_;
};

}  // namespace runtime::container
