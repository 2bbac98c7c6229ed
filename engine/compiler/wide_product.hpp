// Recognises compiler-rt's __multi3 by what its body computes: the 128-bit product of (param 1 +
// 2^64 param 2) and (param 3 + 2^64 param 4), stored at param 0. Without it a guest's 64 x 64 ->
// 128 product costs four multiplications and a dozen shifts.
#pragma once

#include <cstdint>

#include "engine/structure/module.hpp"

namespace engine::compiler {

/// A proof, not a guess: false for everything that the proof does not cover.
bool is_wide_product(const Module& module, std::uint32_t function);

}  // namespace engine::compiler
