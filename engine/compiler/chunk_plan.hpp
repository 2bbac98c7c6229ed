// Decides which functions are compiled together. Depends on module and options alone, so that the
// output does too.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/compiler/body_scan.hpp"
#include "engine/compiler/code_generation.hpp"
#include "engine/compiler/compile.hpp"
#include "engine/compiler/module_shape.hpp"

namespace engine::compiler {

struct Chunk {
  std::vector<std::uint32_t> functions;
  /// Functions of other chunks whose bodies are copied, for inlining only.
  std::vector<std::uint32_t> imports;
  Effort effort = Effort::Full;
  std::uint64_t bytes = 0;  ///< of own bodies
};

/// Also marks in `shape` the functions that other chunks refer to.
Result<std::vector<Chunk>> plan_chunks(const Module& module, const CompileOptions& options,
                                       ModuleShape& shape);

}  // namespace engine::compiler
