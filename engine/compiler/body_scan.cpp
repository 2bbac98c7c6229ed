// See body_scan.hpp.
#include "engine/compiler/body_scan.hpp"

#include <algorithm>

#include "base/result.hpp"
#include "engine/binary/instruction_reader.hpp"

namespace engine::compiler {
namespace {

/// Values that lists and branches of one function may carry together.
constexpr std::uint64_t kMaxCarried = 20'000'000;

bool opens_block(Opcode opcode) {
  return opcode == Opcode::Block || opcode == Opcode::Loop || opcode == Opcode::If;
}

bool assigns_local(Opcode opcode) {
  return opcode == Opcode::LocalSet || opcode == Opcode::LocalTee;
}

void sort_unique(std::vector<std::uint32_t>& list) {
  std::ranges::sort(list);
  const auto rest = std::ranges::unique(list);
  list.erase(rest.begin(), rest.end());
}

}  // namespace

Result<BodySummary> summarise_body(const Module& module, std::uint32_t function) {
  BodySummary out;
  binary::InstructionReader reader(module.bytes, module.functions[function]);
  TRY(reader.read_locals());
  while (!reader.at_end()) {
    const Instruction instruction = TRY(reader.next());
    ++out.instructions;
    const bool is_call =
        instruction.opcode == Opcode::Call || instruction.opcode == Opcode::ReturnCall;
    if (is_call && instruction.index >= module.imported_functions) {
      out.callees.push_back(instruction.index);
    }
  }
  sort_unique(out.callees);
  return out;
}

Result<BlockAssignments> block_assignments(const Module& module, std::uint32_t function) {
  BlockAssignments out;
  std::vector<std::size_t> open;
  std::vector<std::uint64_t> branches;  // by block: edges to its label
  std::uint64_t carried = 0;
  binary::InstructionReader reader(module.bytes, module.functions[function]);
  TRY(reader.read_locals());
  const auto branch = [&](std::uint32_t depth) {
    if (depth < open.size()) ++branches[open[open.size() - 1 - depth]];
  };
  while (!reader.at_end() && carried <= kMaxCarried) {
    const Instruction instruction = TRY(reader.next());
    if (opens_block(instruction.opcode)) {
      open.push_back(out.blocks.size());
      out.blocks.emplace_back();
      branches.push_back(2);
    } else if (assigns_local(instruction.opcode)) {
      if (!open.empty()) out.blocks[open.back()].push_back(instruction.index);
    } else if (instruction.opcode == Opcode::Br || instruction.opcode == Opcode::BrIf) {
      branch(instruction.index);
    } else if (instruction.opcode == Opcode::BrTable) {
      for (const std::uint32_t label : instruction.labels) branch(label);
    } else if (instruction.opcode == Opcode::End && !open.empty()) {
      const std::size_t closed = open.back();
      open.pop_back();
      std::vector<std::uint32_t>& locals = out.blocks[closed];
      sort_unique(locals);
      carried += locals.size() * (branches[closed] + 1);
      if (!open.empty()) {
        auto& outer = out.blocks[open.back()];
        outer.insert(outer.end(), locals.begin(), locals.end());
      }
    }
  }
  if (carried > kMaxCarried) {
    out.blocks.clear();
    out.too_many = true;
  }
  return out;
}

}  // namespace engine::compiler
