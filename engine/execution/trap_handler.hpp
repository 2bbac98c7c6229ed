// Faults of guest code become traps.
#pragma once

#include "base/result.hpp"

namespace engine::execution {

/// Installs the handler of SIGSEGV and SIGILL for the process, at the first call. It takes only
/// what is a guest's: explicit trap instructions in a registered text, accesses from there to a
/// memory's reservation, and the guard of the running guest's stack. Everything else goes to the
/// handler that was there before. No SIGFPE is among it: compiled code checks before it divides.
/// Threads need an alternate signal stack (SignalStack).
base::Result<void> install_trap_handler();

}  // namespace engine::execution
