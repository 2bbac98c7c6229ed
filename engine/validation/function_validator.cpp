#include "engine/validation/function_validator.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "engine/validation/validate.hpp"

namespace engine::validation {
namespace {

std::unexpected<Error> invalid(std::string text) {
  return fail(ErrorKind::Invalid, std::move(text));
}

std::unexpected<Error> unknown(std::string_view what, std::uint64_t index) {
  return invalid("unknown " + std::string(what) + " " + std::to_string(index));
}

constexpr ValType type_of_letter(char letter) {
  switch (letter) {
    case 'i':
      return ValType::I32;
    case 'l':
      return ValType::I64;
    case 'f':
      return ValType::F32;
    case 'd':
      return ValType::F64;
    default:
      return ValType::V128;
  }
}

/// A span of one type that lives for ever, for blocks with a single result.
Types single(ValType type) {
  static constexpr std::array kTypes = {ValType::I32,      ValType::I64,  ValType::F32,
                                        ValType::F64,      ValType::V128, ValType::FuncRef,
                                        ValType::ExternRef};
  const auto* const found = std::ranges::find(kTypes, type);
  return {found, 1};
}

/// Lanes of the shape that the text of a vector instruction begins with: "i16x8..." has 8.
unsigned lanes_of(std::string_view text) {
  const std::size_t x = text.find('x');
  unsigned lanes = 0;
  for (std::size_t i = x + 1; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
    lanes = lanes * 10 + static_cast<unsigned>(text[i] - '0');
  }
  return lanes;
}

}  // namespace

Result<void> validate_function(const Module& module, std::uint32_t function,
                               const Features& features, std::uint64_t& typed_operands) {
  FunctionValidator validator(module, function, features);
  Result<void> result = validator.run(typed_operands);
  typed_operands -= std::min(typed_operands, validator.typed_operands());
  if (!result) result.error().function = function;
  return result;
}

Result<void> FunctionValidator::run(std::uint64_t limit) {
  auto end = static_cast<std::uint32_t>(type_.params.size());
  for (const binary::LocalGroup& group : TRY(reader_.read_locals())) {
    end += group.count;
    local_runs_.emplace_back(end, group.type);
  }
  stack_.enter(Opcode::Block, {}, type_.results);
  while (!stack_.empty()) {
    if (reader_.at_end()) {
      return fail_at(ErrorKind::Malformed, reader_.offset(), "END opcode expected");
    }
    const Instruction instruction = TRY(reader_.next());
    Result<void> checked = check(instruction);
    if (checked && typed_operands() > limit) {
      checked = fail(ErrorKind::LimitExceeded, "too many operands in types of branches and calls");
    }
    if (!checked) {
      checked.error().offset = instruction.offset;
      return checked;
    }
  }
  if (!reader_.at_end()) {
    return fail_at(ErrorKind::Malformed, reader_.offset(), "operators remaining after end of body");
  }
  return {};
}

Result<void> FunctionValidator::check(const Instruction& instruction) {
  TRY(check_immediate(instruction));
  const std::string_view signature = info(instruction.opcode).signature;
  if (signature != "*") return check_signature(signature);
  switch (instruction.opcode) {
    case Opcode::Drop: {
      TRY(stack_.pop());
      return {};
    }
    case Opcode::Select:
    case Opcode::SelectT:
      return check_select(instruction);
    case Opcode::LocalGet:
    case Opcode::LocalSet:
    case Opcode::LocalTee:
    case Opcode::GlobalGet:
    case Opcode::GlobalSet:
      return check_variable(instruction);
    case Opcode::RefNull:
    case Opcode::RefIsNull:
    case Opcode::RefFunc:
      return check_reference(instruction);
    case Opcode::TableGet:
    case Opcode::TableSet:
    case Opcode::TableGrow:
    case Opcode::TableFill:
      return check_table(instruction);
    default:
      return check_control(instruction);
  }
}

Result<void> FunctionValidator::check_signature(std::string_view signature) {
  const std::size_t colon = signature.find(':');
  for (std::size_t i = colon; i > 0; --i) TRY(stack_.pop(type_of_letter(signature[i - 1])));
  for (const char letter : signature.substr(colon + 1)) stack_.push(type_of_letter(letter));
  return {};
}

Result<void> FunctionValidator::check_immediate(const Instruction& instruction) {
  const auto memory = [this](std::uint32_t index) -> Result<void> {
    if (index >= module_.memories.size()) return unknown("memory", index);
    return {};
  };
  const OpcodeInfo& opcode = info(instruction.opcode);
  switch (opcode.immediate) {
    case Immediate::AtomicMemArg:
      TRY(check_threads(opcode));
      return check_memarg(instruction);
    case Immediate::Reserved:
      return check_threads(opcode);
    case Immediate::MemArg:
    case Immediate::MemArgLane:
      return check_memarg(instruction);
    case Immediate::Lane:
      if (instruction.lane >= lanes_of(opcode.text)) return invalid("invalid lane index");
      return {};
    case Immediate::Shuffle:
      if (std::ranges::any_of(instruction.v128,
                              [](std::byte lane) { return lane >= std::byte{32}; })) {
        return invalid("invalid lane index");
      }
      return {};
    case Immediate::Memory:
      return memory(instruction.index);
    case Immediate::MemoryPair:
      TRY(memory(instruction.index));
      return memory(instruction.index2);
    case Immediate::Data:
    case Immediate::DataMemory:
      if (opcode.immediate == Immediate::DataMemory) TRY(memory(instruction.index2));
      if (instruction.index >= module_.data.size()) {
        return unknown("data segment", instruction.index);
      }
      if (!module_.data_count) {
        return fail(ErrorKind::Malformed, "data count section required");
      }
      return {};
    case Immediate::Element:
    case Immediate::ElementTable: {
      if (opcode.immediate == Immediate::ElementTable) {
        static_cast<void>(TRY(element_type(instruction.index2)));
      }
      if (instruction.index >= module_.elements.size()) {
        return unknown("elem segment", instruction.index);
      }
      if (opcode.immediate == Immediate::ElementTable &&
          TRY(element_type(instruction.index2)) != module_.elements[instruction.index].type) {
        return OperandStack::mismatch();
      }
      return {};
    }
    case Immediate::TablePair: {
      const ValType to = TRY(element_type(instruction.index));
      if (to != TRY(element_type(instruction.index2))) return OperandStack::mismatch();
      return {};
    }
    case Immediate::Table:
      static_cast<void>(TRY(element_type(instruction.index)));
      return {};
    default:
      return {};
  }
}

Result<void> FunctionValidator::check_threads(const OpcodeInfo& opcode) const {
  if (features_.threads) return {};
  return fail(ErrorKind::Unsupported, std::string(opcode.text) + ": threads are switched off");
}

Result<void> FunctionValidator::check_memarg(const Instruction& instruction) {
  const std::uint8_t access = info(instruction.opcode).access;
  if (instruction.memarg.memory >= module_.memories.size()) {
    return unknown("memory", instruction.memarg.memory);
  }
  if ((std::uint64_t{1} << instruction.memarg.align_log2) > access) {
    return invalid("alignment must not be larger than natural");
  }
  if (info(instruction.opcode).immediate == Immediate::AtomicMemArg &&
      (std::uint64_t{1} << instruction.memarg.align_log2) != access) {
    return invalid("alignment must be equal to natural");
  }
  if (info(instruction.opcode).immediate == Immediate::MemArgLane &&
      instruction.lane >= 16 / access) {
    return invalid("invalid lane index");
  }
  return {};
}

Result<void> FunctionValidator::check_control(const Instruction& instruction) {
  switch (instruction.opcode) {
    case Opcode::Unreachable:
      stack_.set_unreachable();
      return {};
    case Opcode::Block:
    case Opcode::Loop:
    case Opcode::If:
      return check_block(instruction);
    case Opcode::Else:
      return check_else();
    case Opcode::End:
      return check_end();
    case Opcode::Br: {
      const ControlFrame* target = TRY(stack_.label(instruction.index));
      TRY(stack_.pop(target->label_types()));
      stack_.set_unreachable();
      return {};
    }
    case Opcode::BrIf:
      TRY(stack_.pop(ValType::I32));
      return stack_.check(TRY(stack_.label(instruction.index))->label_types());
    case Opcode::BrTable:
      return check_br_table(instruction);
    case Opcode::Return:
      TRY(stack_.pop(type_.results));
      stack_.set_unreachable();
      return {};
    default: {
      const FuncType* callee = TRY(callee_of(instruction));
      return check_call(*callee, instruction.opcode == Opcode::ReturnCall ||
                                     instruction.opcode == Opcode::ReturnCallIndirect);
    }
  }
}

Result<void> FunctionValidator::check_block(const Instruction& instruction) {
  if (instruction.opcode == Opcode::If) TRY(stack_.pop(ValType::I32));
  Types params;
  Types results;
  if (instruction.block.kind == BlockType::Kind::Value) results = single(instruction.block.value);
  if (instruction.block.kind == BlockType::Kind::Index) {
    if (instruction.block.index >= module_.types.size()) {
      return unknown("type", instruction.block.index);
    }
    params = module_.types[instruction.block.index].params;
    results = module_.types[instruction.block.index].results;
  }
  TRY(stack_.pop(params));
  stack_.enter(instruction.opcode, params, results);
  return {};
}

Result<void> FunctionValidator::check_else() {
  const ControlFrame frame = TRY(stack_.leave());
  if (frame.opcode != Opcode::If) {
    return fail(ErrorKind::Malformed, "else without if");
  }
  stack_.enter(Opcode::Else, frame.params, frame.results);
  return {};
}

Result<void> FunctionValidator::check_end() {
  const ControlFrame frame = TRY(stack_.leave());
  // Without else, the parameters are the results.
  if (frame.opcode == Opcode::If && !std::ranges::equal(frame.params, frame.results)) {
    return OperandStack::mismatch();
  }
  if (!stack_.empty()) stack_.push(frame.results);
  return {};
}

Result<void> FunctionValidator::check_br_table(const Instruction& instruction) {
  TRY(stack_.pop(ValType::I32));
  const Types last = TRY(stack_.label(instruction.labels.back()))->label_types();
  // Many labels of one block type are checked once, so that long tables of values stay cheap.
  std::unordered_set<const ValType*> seen;
  for (const std::uint32_t label : instruction.labels) {
    const Types types = TRY(stack_.label(label))->label_types();
    if (types.size() != last.size()) return OperandStack::mismatch();
    if (types.empty() || !seen.insert(types.data()).second) continue;
    TRY(stack_.check(types));
  }
  TRY(stack_.pop(last));
  stack_.set_unreachable();
  return {};
}

Result<const FuncType*> FunctionValidator::callee_of(const Instruction& instruction) {
  if (info(instruction.opcode).immediate == Immediate::Function) {
    if (instruction.index >= module_.functions.size()) {
      return unknown("function", instruction.index);
    }
    return &module_.type_of(instruction.index);
  }
  if (TRY(element_type(instruction.index2)) != ValType::FuncRef) return OperandStack::mismatch();
  if (instruction.index >= module_.types.size()) return unknown("type", instruction.index);
  TRY(stack_.pop(ValType::I32));
  return &module_.types[instruction.index];
}

Result<void> FunctionValidator::check_call(const FuncType& callee, bool is_tail) {
  TRY(stack_.pop(Types(callee.params)));
  if (!is_tail) {
    stack_.push(Types(callee.results));
    return {};
  }
  if (callee.results != type_.results) return OperandStack::mismatch();
  stack_.set_unreachable();
  return {};
}

Result<void> FunctionValidator::check_select(const Instruction& instruction) {
  TRY(stack_.pop(ValType::I32));
  if (instruction.opcode == Opcode::SelectT) {
    if (instruction.select_types.size() != 1) return invalid("invalid result arity");
    const ValType type = instruction.select_types.front();
    TRY(stack_.pop(type));
    TRY(stack_.pop(type));
    stack_.push(type);
    return {};
  }
  const Operand first = TRY(stack_.pop());
  const Operand second = TRY(stack_.pop());
  const bool is_reference = (first && is_ref(*first)) || (second && is_ref(*second));
  if (is_reference || (first && second && *first != *second)) return OperandStack::mismatch();
  stack_.push(first ? first : second);
  return {};
}

Result<void> FunctionValidator::check_variable(const Instruction& instruction) {
  if (instruction.opcode == Opcode::GlobalGet || instruction.opcode == Opcode::GlobalSet) {
    if (instruction.index >= module_.globals.size()) return unknown("global", instruction.index);
    const GlobalType& type = module_.globals[instruction.index].type;
    if (instruction.opcode == Opcode::GlobalGet) {
      stack_.push(type.type);
      return {};
    }
    if (!type.is_mutable) return invalid("global is immutable");
    TRY(stack_.pop(type.type));
    return {};
  }
  const ValType type = TRY(local_type(instruction.index));
  if (instruction.opcode != Opcode::LocalGet) TRY(stack_.pop(type));
  if (instruction.opcode != Opcode::LocalSet) stack_.push(type);
  return {};
}

Result<void> FunctionValidator::check_reference(const Instruction& instruction) {
  if (instruction.opcode == Opcode::RefNull) {
    stack_.push(instruction.ref_type);
    return {};
  }
  if (instruction.opcode == Opcode::RefIsNull) {
    const Operand operand = TRY(stack_.pop());
    if (operand && !is_ref(*operand)) return OperandStack::mismatch();
    stack_.push(ValType::I32);
    return {};
  }
  if (instruction.index >= module_.functions.size()) return unknown("function", instruction.index);
  if (!std::ranges::binary_search(module_.referenced_functions, instruction.index)) {
    return invalid("undeclared function reference");
  }
  stack_.push(ValType::FuncRef);
  return {};
}

Result<void> FunctionValidator::check_table(const Instruction& instruction) {
  const ValType element = TRY(element_type(instruction.index));
  switch (instruction.opcode) {
    case Opcode::TableGet:
      TRY(stack_.pop(ValType::I32));
      stack_.push(element);
      return {};
    case Opcode::TableSet:
      TRY(stack_.pop(element));
      TRY(stack_.pop(ValType::I32));
      return {};
    case Opcode::TableGrow:
      TRY(stack_.pop(ValType::I32));
      TRY(stack_.pop(element));
      stack_.push(ValType::I32);
      return {};
    default:  // table.fill
      TRY(stack_.pop(ValType::I32));
      TRY(stack_.pop(element));
      TRY(stack_.pop(ValType::I32));
      return {};
  }
}

Result<ValType> FunctionValidator::local_type(std::uint32_t index) const {
  if (index < type_.params.size()) return type_.params[index];
  const auto run =
      std::ranges::upper_bound(local_runs_, index, {}, &std::pair<std::uint32_t, ValType>::first);
  if (run == local_runs_.end()) return unknown("local", index);
  return run->second;
}

Result<ValType> FunctionValidator::element_type(std::uint32_t table) const {
  if (table >= module_.tables.size()) return unknown("table", table);
  return module_.tables[table].element;
}

}  // namespace engine::validation
