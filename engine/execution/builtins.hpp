// The functions of the runtime that compiled code calls (VmBuiltins).
#pragma once

#include "engine/artifact/vm_layout.hpp"

namespace engine::execution {

/// One table for all instances.
const VmBuiltins& builtins();

}  // namespace engine::execution
