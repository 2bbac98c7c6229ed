// Hands a filter's listener to the agent that the profile names: runtime-spec config-linux.md
// "Seccomp", `listenerPath`.
#pragma once

#include <string>

#include "base/result.hpp"
#include "oci/state.hpp"

namespace runtime::security {

/// Connects to the stream socket at `path` on the host and sends `state` as JSON with the
/// descriptor in the first message. `state.fds` should name it "seccompFd". An agent that does not
/// take it within ten seconds is an error.
base::Result<void> send_seccomp_listener(const std::string& path,
                                         const oci::ContainerProcessState& state, int listener);

}  // namespace runtime::security
