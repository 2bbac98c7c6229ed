// Validates one body. Instructions whose types follow from the opcode alone are checked by the
// table's signature; the others have a function by family.
#pragma once

#include "engine/binary/instruction_reader.hpp"
#include "engine/structure/features.hpp"
#include "engine/structure/module.hpp"
#include "engine/validation/operand_stack.hpp"

namespace engine::validation {

class FunctionValidator {
 public:
  FunctionValidator(const Module& module, std::uint32_t function, const Features& features)
      : module_(module),
        features_(features),
        type_(module.type_of(function)),
        reader_(module.bytes, module.functions[function]) {}

  /// Fails with LimitExceeded when `typed_operands` exceeds the limit.
  Result<void> run(std::uint64_t limit);
  std::uint64_t typed_operands() const { return stack_.looked_at(); }

 private:
  Result<void> check(const Instruction& instruction);
  Result<void> check_signature(std::string_view signature);
  Result<void> check_immediate(const Instruction& instruction);
  Result<void> check_threads(const OpcodeInfo& opcode) const;
  Result<void> check_memarg(const Instruction& instruction);
  Result<void> check_control(const Instruction& instruction);
  Result<void> check_block(const Instruction& instruction);
  Result<void> check_else();
  Result<void> check_end();
  Result<void> check_br_table(const Instruction& instruction);
  Result<void> check_call(const FuncType& callee, bool is_tail);
  Result<const FuncType*> callee_of(const Instruction& instruction);
  Result<void> check_select(const Instruction& instruction);
  Result<void> check_variable(const Instruction& instruction);
  Result<void> check_reference(const Instruction& instruction);
  Result<void> check_table(const Instruction& instruction);
  Result<ValType> local_type(std::uint32_t index) const;
  Result<ValType> element_type(std::uint32_t table) const;

  const Module& module_;
  const Features& features_;
  const FuncType& type_;
  binary::InstructionReader reader_;
  OperandStack stack_;
  // Runs of locals behind the parameters, by the index one past their end: a body may declare
  // thousands of locals in six bytes, so they are not expanded.
  std::vector<std::pair<std::uint32_t, ValType>> local_runs_;
};

}  // namespace engine::validation
