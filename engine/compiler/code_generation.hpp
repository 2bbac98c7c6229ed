// From LLVM IR to a relocatable object: the pass pipeline and the machine code generator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/compiler/inline_sites.hpp"
#include "engine/structure/error.hpp"

namespace llvm {
class Module;
}

namespace engine::compiler {

/// An ELF object, and what its line table says beyond lines.
struct ObjectCode {
  std::vector<std::byte> bytes;
  InlineOrigins inlining;
};

enum class Effort : std::uint8_t {
  Full,   ///< O2 with vectorizers
  Cheap,  ///< O1 without loop passes, fast register allocation; for giants
};

/// Call once before the first object, on one thread. False when this LLVM is not the one we know.
bool initialise_target();

/// The first half of the optimiser, in place: what wants to see the bodies of callees. With
/// `verify`, IR that breaks LLVM's rules is an error (before this half and after the other).
/// Both halves are thread safe for modules of different LLVMContexts.
Result<void> simplify(llvm::Module& module, std::string_view cpu, Effort effort, bool verify);

/// The second half, and an ELF object of what it leaves.
Result<ObjectCode> generate_object(llvm::Module& module, std::string_view cpu, Effort effort,
                                   bool verify);

}  // namespace engine::compiler
