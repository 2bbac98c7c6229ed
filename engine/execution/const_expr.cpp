// A stack machine for the ten operations of constant expressions.
#include "engine/execution/const_expr.hpp"

#include <vector>

namespace engine::execution {
namespace {

using artifact::ConstOp;

VmValue combine(ConstOp op, std::uint64_t left, std::uint64_t right) {
  const auto low_half = [](std::uint64_t value) { return VmValue{value & 0xffffffff, 0}; };
  switch (op) {
    case ConstOp::Add32:
      return low_half(left + right);
    case ConstOp::Sub32:
      return low_half(left - right);
    case ConstOp::Mul32:
      return low_half(left * right);
    case ConstOp::Add64:
      return {left + right, 0};
    case ConstOp::Sub64:
      return {left - right, 0};
    default:
      return {left * right, 0};
  }
}

}  // namespace

std::optional<VmValue> evaluate_const_expr(
    std::span<const artifact::FlatConstant> steps,
    const std::function<std::uint64_t(std::uint32_t slot)>& reference,
    const std::function<VmValue(std::uint32_t index)>& global) {
  std::vector<VmValue> stack;
  for (const artifact::FlatConstant& step : steps) {
    switch (step.op) {
      case ConstOp::Value:
        stack.push_back({step.low, step.high});
        break;
      case ConstOp::RefFunc:
        stack.push_back({reference(step.index), 0});
        break;
      case ConstOp::GlobalGet:
        stack.push_back(global(step.index));
        break;
      default: {
        if (stack.size() < 2) return std::nullopt;
        const std::uint64_t right = stack.back().low;
        stack.pop_back();
        stack.back() = combine(step.op, stack.back().low, right);
      }
    }
  }
  if (stack.size() != 1) return std::nullopt;
  return stack.front();
}

}  // namespace engine::execution
