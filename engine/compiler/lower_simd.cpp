// The SIMD instructions' door: no family is there yet.
#include "engine/compiler/function_lowering.hpp"

namespace engine::compiler {

Result<bool> lower_simd(FunctionLowering&, const Instruction&) { return false; }

}  // namespace engine::compiler
