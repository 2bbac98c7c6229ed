// One entry of the guest from the host, as the signal handler and the assembly see it.
#pragma once

#include <cstdint>

#include "engine/artifact/vm_layout.hpp"
#include "engine/execution/guest_stack.hpp"
#include "engine/execution/trapped.hpp"
#include "engine/structure/trap.hpp"

namespace engine::execution {

struct Activation {
  void* host_stack_pointer = nullptr;  ///< saved by enter_guest.S, which knows that it comes first
  Activation* outer = nullptr;
  VmStore* store = nullptr;
  const GuestStack* stack = nullptr;
  RawBacktrace* backtrace = nullptr;
  Trap trap = Trap::None;
};

/// The calling thread's innermost activation, null outside of guests. Thread-local since the signal
/// handler finds it in no other way.
Activation*& current_activation();

}  // namespace engine::execution

extern "C" {

/// Runs trampoline(context, code, values, store) on `stack_top`, or on the present stack when that
/// is null. 0, or 1 when the guest was left by a trap.
std::uint32_t wherry_enter_guest(engine::execution::Activation* activation, void* context,
                                 const void* code, engine::VmValue* values, const void* trampoline,
                                 void* stack_top);

/// Where the signal handler sends a guest that trapped, with its Activation in rbx.
void wherry_leave_guest();
}
