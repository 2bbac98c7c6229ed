// Which functions were inlined where: LLVM keeps it in debug locations, but a line table has no
// room for it, and the sections of DWARF that have are large. So a machine pass at the very end
// puts numbers of its own into the lines of inlined instructions, and keeps a table of what they
// mean.
//
// Lines elsewhere are offsets in the module; a subprogram's line is its function's index.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/artifact/compiled_code.hpp"
#include "engine/structure/limits.hpp"

namespace llvm {
class MachineFunctionPass;
}

namespace engine::compiler {

/// Set in the line of an inlined instruction: the rest is an index into InlineOrigins::origins.
inline constexpr std::uint32_t kInlinedLine = 0x8000'0000;
static_assert(kMaxModuleSize < kInlinedLine);

struct InlineOrigins {
  struct Origin {
    std::uint32_t module_offset = 0;  ///< 0: unknown
    std::uint32_t site = 0;           ///< in `sites`
  };
  std::vector<Origin> origins;
  std::vector<artifact::InlineSite> sites;
};

/// To run last before the printer. Fills `out`, which outlives the pass.
llvm::MachineFunctionPass* create_inline_sites_pass(InlineOrigins& out);

}  // namespace engine::compiler
