#include "engine/validation/operand_stack.hpp"

namespace engine::validation {

Result<void> OperandStack::check(Types types) {
  looked_at_ += types.size();
  spare_.clear();
  for (std::size_t i = types.size(); i > 0; --i) spare_.push_back(TRY(pop(types[i - 1])));
  operands_.insert(operands_.end(), spare_.rbegin(), spare_.rend());
  return {};
}

void OperandStack::enter(Opcode opcode, Types params, Types results) {
  frames_.push_back({opcode, params, results, operands_.size(), false});
  push(params);
}

Result<ControlFrame> OperandStack::leave() {
  const ControlFrame frame = frames_.back();
  TRY(pop(frame.results));
  if (operands_.size() != frame.height) return mismatch();
  frames_.pop_back();
  return frame;
}

void OperandStack::set_unreachable() {
  ControlFrame& frame = frames_.back();
  operands_.resize(frame.height);
  frame.unreachable = true;
}

Result<const ControlFrame*> OperandStack::label(std::uint32_t index) const {
  if (index >= frames_.size()) {
    return fail(ErrorKind::Invalid, "unknown label " + std::to_string(index));
  }
  return &frames_[frames_.size() - 1 - index];
}

}  // namespace engine::validation
