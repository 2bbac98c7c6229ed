// Duties of a guest's process: dying when told to, also as PID 1, and reaping orphans.
#pragma once

#include "base/result.hpp"

namespace engine::programs {

/// As PID 1 of a pid namespace the kernel's default actions do not happen: every signal that would
/// end a process now ends this one at once with 128 + n, and orphans are reaped by the kernel. As
/// any other process nothing changes, so that whoever waits sees the signal. SIGPIPE becomes EPIPE
/// in both, and a bus error, of an artifact that was cut while it is mapped, a message and 135.
/// Call it before the trap handler is installed, and before anything that takes long.
base::Result<void> take_over_signals();

/// Makes `ps` show the guest's own command line: moves `count` arguments to the start of the
/// process's argument area. `argv` stays valid but points to moved text.
void show_arguments(char** argv, int count);

}  // namespace engine::programs
