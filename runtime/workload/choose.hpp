// Native or WebAssembly? The entry point's first bytes decide; annotations only force or forbid,
// since a pod's annotations reach its side-cars too.
#pragma once

#include "base/result.hpp"
#include "runtime/process/executable.hpp"

namespace runtime::workload {

/// What a container's process executes: process::ChooseExecutable. For a module, wherry-exec with a
/// control block and the artifact, or the socket of a broker that compiles it: this never waits for
/// a compile. Invalid for a module the user may not read, or where an annotation asks for wasm and
/// there is none; Unsupported for components.
base::Result<process::Executable> choose_executable(const process::EntryPoint& entry);

}  // namespace runtime::workload
