// The child's side of launch(): from clone to execve.
#pragma once

#include "runtime/process/channel.hpp"
#include "runtime/process/plan.hpp"

namespace runtime::process {

/// Becomes the container's process. Errors go to the parent; the process then ends with status 1.
[[noreturn]] void become_container(Plan& plan, Channel channel);

/// clone3(2) without a new stack, like fork(2), with the pid or -1 and errno; clone(2) where the
/// kernel or a filter has no clone3. `cgroup` (a v2 directory) and `pidfd` may be -1 and nullptr.
long clone_process(std::uint64_t flags, int cgroup, int* pidfd);

}  // namespace runtime::process
