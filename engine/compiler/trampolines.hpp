// The code between the two worlds (compiled_code.hpp): entry trampolines take C calls into wasm
// code, host trampolines take wasm calls to C functions.
#pragma once

#include <cstdint>

#include "engine/compiler/chunk_module.hpp"

namespace engine::compiler {

void build_entry_trampoline(ChunkModule& chunk, std::uint32_t type);
void build_host_trampoline(ChunkModule& chunk, std::uint32_t type);

}  // namespace engine::compiler
