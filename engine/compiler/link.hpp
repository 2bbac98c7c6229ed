// Lays out the chunks' objects as one text and one rodata, and resolves their references.
// Everything is relative to the instruction pointer: the result runs at any address without
// relocation.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/artifact/compiled_code.hpp"
#include "engine/compiler/code_generation.hpp"
#include "engine/structure/error.hpp"
#include "engine/structure/module.hpp"

namespace engine::compiler {

/// Fills text, rodata, the ranges, the positions and the inlined functions. An undefined symbol or
/// a kind of relocation or section that cannot be in our objects is an error.
Result<artifact::CompiledCode> link_objects(const Module& module,
                                            std::span<const ObjectCode> objects);

}  // namespace engine::compiler
