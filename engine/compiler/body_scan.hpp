// One cheap pass over a function's body before anything is compiled: how large it is, whom it
// calls, and which locals each block assigns (so that only those need phis at its label).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/structure/error.hpp"
#include "engine/structure/module.hpp"

namespace engine::compiler {

struct BodySummary {
  std::uint32_t instructions = 0;
  std::vector<std::uint32_t> callees;  ///< own functions called directly; sorted, no repetition
};

Result<BodySummary> summarise_body(const Module& module, std::uint32_t function);

/// For each block, loop and if of the body in the order of their opcodes: the locals that are
/// assigned inside, sorted. `too_many` when the lists or the branches that carry them would be
/// unreasonably large; `blocks` is then empty and locals must live in memory.
struct BlockAssignments {
  std::vector<std::vector<std::uint32_t>> blocks;
  bool too_many = false;
};

Result<BlockAssignments> block_assignments(const Module& module, std::uint32_t function);

}  // namespace engine::compiler
