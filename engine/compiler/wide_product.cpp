// See wide_product.hpp. Each value of the straight-line body is a polynomial in the parameters and
// in fresh variables h = floor(v / 2^32), one for each v that is split in halves; then v's low half
// is the polynomial v - 2^32 h. A value is exact when it equals its polynomial as an integer (a
// bound shows that nothing wrapped), otherwise only modulo 2^64. The body is a wide product when
//   low + 2^64 high == a * b + 2^64 (a * b_high + a_high * b)   modulo 2^128
// holds between polynomials, `low` being exact: identical polynomials have identical values.
#include "engine/compiler/wide_product.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "engine/binary/instruction_reader.hpp"

namespace engine::compiler {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::size_t kMaxInstructions = 200;
constexpr std::size_t kMaxTerms = 64;
constexpr Wide kTwo32 = Wide{1} << 32;
constexpr Wide kTwo64 = Wide{1} << 64;

/// Sorted variables of a product -> coefficient modulo 2^128; no zero coefficients.
using Polynomial = std::map<std::vector<std::uint32_t>, Wide>;

void accumulate(Polynomial& sum, const std::vector<std::uint32_t>& variables, Wide coefficient) {
  const auto [term, is_new] = sum.try_emplace(variables, 0);
  term->second += coefficient;
  if (term->second == 0) sum.erase(term);
}

Polynomial add(Polynomial left, const Polynomial& right, Wide factor = 1) {
  for (const auto& [variables, coefficient] : right) {
    accumulate(left, variables, coefficient * factor);
  }
  return left;
}

Polynomial multiply(const Polynomial& left, const Polynomial& right) {
  Polynomial out;
  for (const auto& [left_variables, left_coefficient] : left) {
    for (const auto& [right_variables, right_coefficient] : right) {
      std::vector<std::uint32_t> variables;
      std::ranges::merge(left_variables, right_variables, std::back_inserter(variables));
      accumulate(out, variables, left_coefficient * right_coefficient);
    }
  }
  return out;
}

struct Symbol {
  Polynomial value;
  Wide below = kTwo64;  ///< exact: the value is less than this
  bool exact = false;
  bool low_half_zero = false;  ///< a multiple of 2^32
  bool is_pointer = false;     ///< parameter 0, of which nothing else is known
  std::optional<std::uint64_t> constant;
};

class Evaluation {
 public:
  /// Parameters: pointer, a, a_high, b, b_high.
  Evaluation() {
    Symbol pointer;
    pointer.is_pointer = true;
    locals_.push_back(pointer);
    for (int i = 0; i < 4; ++i) locals_.push_back(fresh(kTwo64));
    parameters_ = locals_;
  }

  void declare(std::uint32_t count) {
    Symbol zero;
    zero.exact = true;
    zero.below = 1;
    zero.constant = 0;
    locals_.insert(locals_.end(), count, zero);
  }

  /// False when the instruction is outside what can be followed.
  bool step(const Instruction& instruction) {
    switch (instruction.opcode) {
      case Opcode::LocalGet:
        if (instruction.index >= locals_.size()) return false;
        stack_.push_back(locals_[instruction.index]);
        return true;
      case Opcode::LocalSet:
      case Opcode::LocalTee:
        if (instruction.index >= locals_.size() || stack_.empty()) return false;
        locals_[instruction.index] = stack_.back();
        if (instruction.opcode == Opcode::LocalSet) stack_.pop_back();
        return true;
      case Opcode::I64Const:
        stack_.push_back(constant(instruction.constant));
        return true;
      case Opcode::I64Store:
        return store(instruction.memarg);
      default:
        return binary(instruction.opcode);
    }
  }

  bool is_product() const {
    if (!low_ || !high_ || !low_->exact) return false;
    const auto& a = parameters_[1].value;
    const auto& a_high = parameters_[2].value;
    const auto& b = parameters_[3].value;
    const auto& b_high = parameters_[4].value;
    const Polynomial computed = add(low_->value, high_->value, kTwo64);
    Polynomial expected = multiply(a, b);
    expected = add(std::move(expected), multiply(a, b_high), kTwo64);
    expected = add(std::move(expected), multiply(a_high, b), kTwo64);
    return computed == expected;
  }

 private:
  Symbol fresh(Wide below) {
    Symbol out;
    out.value[{variables_++}] = 1;
    out.below = below;
    out.exact = true;
    return out;
  }

  static Symbol constant(std::uint64_t number) {
    Symbol out;
    if (number != 0) out.value[{}] = number;
    out.below = Wide{number} + 1;
    out.exact = true;
    out.constant = number;
    return out;
  }

  Symbol pop() {
    Symbol out = std::move(stack_.back());
    stack_.pop_back();
    return out;
  }

  bool store(const MemArg& memarg) {
    if (stack_.size() < 2) return false;
    Symbol value = pop();
    const Symbol place = pop();
    if (!place.is_pointer || value.is_pointer || memarg.memory != 0) return false;
    std::optional<Symbol>& target = memarg.offset == 0 ? low_ : high_;
    if ((memarg.offset != 0 && memarg.offset != 8) || target) return false;
    target = std::move(value);
    return true;
  }

  bool binary(Opcode opcode) {
    if (stack_.size() < 2) return false;
    Symbol right = pop();
    Symbol left = pop();
    if (left.is_pointer || right.is_pointer) return false;
    if (left.constant && opcode != Opcode::I64ShrU && opcode != Opcode::I64Shl) {
      std::swap(left, right);
    }
    const auto result = apply(opcode, left, right);
    if (!result || result->value.size() > kMaxTerms) return false;
    stack_.push_back(*result);
    return true;
  }

  std::optional<Symbol> apply(Opcode opcode, const Symbol& left, const Symbol& right) {
    switch (opcode) {
      case Opcode::I64Add:
        return sum(left, right);
      case Opcode::I64Mul:
        return product(left, right);
      case Opcode::I64And:
        if (right.constant != 0xffffffffU || !left.exact) return std::nullopt;
        return low_half(left);
      case Opcode::I64ShrU:
        if (right.constant != 32U || !left.exact) return std::nullopt;
        return high_half(left);
      case Opcode::I64Shl:
        if (right.constant != 32U || !left.exact) return std::nullopt;
        return shifted(left);
      case Opcode::I64Or: {
        const bool disjoint = (left.low_half_zero && right.exact && right.below <= kTwo32) ||
                              (right.low_half_zero && left.exact && left.below <= kTwo32);
        if (!disjoint) return std::nullopt;
        return sum(left, right);
      }
      default:
        return std::nullopt;
    }
  }

  static Symbol sum(const Symbol& left, const Symbol& right) {
    Symbol out;
    out.value = add(left.value, right.value);
    out.below = left.below + right.below - 1;
    out.exact = left.exact && right.exact && out.below <= kTwo64;
    if (!out.exact) out.below = kTwo64;
    return out;
  }

  static Symbol product(const Symbol& left, const Symbol& right) {
    Symbol out;
    out.value = multiply(left.value, right.value);
    // Each factor is below 2^64, so that this does not wrap.
    const Wide largest = (left.below - 1) * (right.below - 1);
    out.exact = left.exact && right.exact && largest < kTwo64;
    out.below = out.exact ? largest + 1 : kTwo64;
    return out;
  }

  Symbol high_half(const Symbol& symbol) {
    const auto known = halves_.find(symbol.value);
    if (known != halves_.end()) return known->second;
    return halves_[symbol.value] = fresh(((symbol.below - 1) >> 32) + 1);
  }

  Symbol low_half(const Symbol& symbol) {
    Symbol out;
    out.value = add(symbol.value, high_half(symbol).value, -kTwo32);
    out.below = std::min(symbol.below, kTwo32);
    out.exact = true;
    return out;
  }

  Symbol shifted(const Symbol& symbol) {
    Symbol out;
    out.value = add({}, low_half(symbol).value, kTwo32);
    out.exact = true;
    out.low_half_zero = true;
    // At most 2^64 - 2^32: with a low half or-ed in it stays below 2^64.
    out.below = kTwo64 - kTwo32 + 1;
    return out;
  }

  std::uint32_t variables_ = 0;
  std::vector<Symbol> locals_;
  std::vector<Symbol> parameters_;
  std::vector<Symbol> stack_;
  std::map<Polynomial, Symbol> halves_;
  std::optional<Symbol> low_;
  std::optional<Symbol> high_;
};

}  // namespace

bool is_wide_product(const Module& module, std::uint32_t function) {
  using enum ValType;
  static const FuncType kType{{I32, I64, I64, I64, I64}, {}};
  if (module.type_of(function) != kType || module.memories.empty()) return false;
  if (module.functions[function].body_size > 3 * kMaxInstructions) return false;
  binary::InstructionReader reader(module.bytes, module.functions[function]);
  const auto locals = reader.read_locals();
  if (!locals) return false;
  Evaluation evaluation;
  for (const auto& group : *locals) {
    if (group.type != I64 || group.count > kMaxInstructions) return false;
    evaluation.declare(group.count);
  }
  for (std::size_t i = 0; i < kMaxInstructions; ++i) {
    const auto instruction = reader.next();
    if (!instruction) return false;
    if (instruction->opcode == Opcode::End) return evaluation.is_product();
    if (!evaluation.step(*instruction)) return false;
  }
  return false;
}

}  // namespace engine::compiler
