// The validation algorithm's two stacks (core spec appendix A.3): operand types, and the blocks
// that are open. Code that cannot be reached has operands of any type.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "engine/structure/error.hpp"
#include "engine/structure/opcode.hpp"
#include "engine/structure/types.hpp"

namespace engine::validation {

/// Absent: any type, from unreachable code.
using Operand = std::optional<ValType>;
using Types = std::span<const ValType>;

struct ControlFrame {
  Opcode opcode = Opcode::Block;
  Types params;
  Types results;
  std::size_t height = 0;
  bool unreachable = false;

  /// What a branch to this block carries.
  Types label_types() const { return opcode == Opcode::Loop ? params : results; }
};

class OperandStack {
 public:
  void push(Operand operand) { operands_.push_back(operand); }
  void push(Types types) {
    looked_at_ += types.size();
    operands_.insert(operands_.end(), types.begin(), types.end());
  }
  Result<Operand> pop() {
    const ControlFrame& frame = frames_.back();
    if (operands_.size() == frame.height) {
      if (frame.unreachable) return Operand();
      return mismatch();
    }
    const Operand top = operands_.back();
    operands_.pop_back();
    return top;
  }
  Result<Operand> pop(ValType expected) {
    const Operand got = TRY(pop());
    if (got && *got != expected) return mismatch();
    return got;
  }
  Result<void> pop(Types types) {
    looked_at_ += types.size();
    for (std::size_t i = types.size(); i > 0; --i) TRY(pop(types[i - 1]));
    return {};
  }
  /// Pops and pushes again what is really there: unknown operands stay unknown.
  Result<void> check(Types types);

  void enter(Opcode opcode, Types params, Types results);
  /// Closes the innermost block; its results must be all that is left.
  Result<ControlFrame> leave();
  void set_unreachable();

  bool empty() const { return frames_.empty(); }
  std::size_t depth() const { return frames_.size(); }
  /// Operands that were pushed, popped and checked for whole types: what one instruction may cost
  /// beyond a constant.
  std::uint64_t looked_at() const { return looked_at_; }
  /// Label 0 is the innermost block.
  Result<const ControlFrame*> label(std::uint32_t index) const;

  static std::unexpected<Error> mismatch() { return fail(ErrorKind::Invalid, "type mismatch"); }

 private:
  std::vector<Operand> operands_;
  std::vector<ControlFrame> frames_;
  std::vector<Operand> spare_;
  std::uint64_t looked_at_ = 0;
};

}  // namespace engine::validation
