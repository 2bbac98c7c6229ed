// Sources of bind mounts that the process in a new user namespace may not open or map itself:
// docs/formats/sync-messages.md, "source".
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "runtime/process/channel.hpp"
#include "runtime/process/plan.hpp"

namespace runtime::process {

/// The child's side: the detached mount for the plan's mount `index`.
base::Result<base::UniqueFd> ask_for_source(const Channel& channel, std::uint32_t index);

/// The parent's side. A process of its own goes into the mount namespace of `pid`, keeping the
/// host's rights: paths then mean what they mean to the child, with what it has mounted so far, and
/// flags that are locked to the namespace stay locked.
base::Result<void> answer_with_source(const Channel& channel, const Plan& plan, pid_t pid,
                                      std::string_view request);

}  // namespace runtime::process
