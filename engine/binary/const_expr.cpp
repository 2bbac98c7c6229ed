// Constant expressions (core spec 3.3.9), with the instructions of the extended const proposal.
#include <cstring>

#include "engine/binary/instruction_reader.hpp"
#include "engine/binary/module_decoder.hpp"
#include "engine/structure/limits.hpp"

namespace engine::binary {
namespace {

bool is_constant(Opcode opcode) {
  switch (opcode) {
    case Opcode::I32Const:
    case Opcode::I64Const:
    case Opcode::F32Const:
    case Opcode::F64Const:
    case Opcode::V128Const:
    case Opcode::RefNull:
    case Opcode::RefFunc:
    case Opcode::GlobalGet:
    case Opcode::I32Add:
    case Opcode::I32Sub:
    case Opcode::I32Mul:
    case Opcode::I64Add:
    case Opcode::I64Sub:
    case Opcode::I64Mul:
      return true;
    default:
      return false;
  }
}

ConstInstruction constant_of(const Instruction& instruction) {
  ConstInstruction out;
  out.opcode = instruction.opcode;
  out.index = instruction.index;
  out.low = instruction.constant;
  out.ref_type = instruction.ref_type;
  if (instruction.opcode == Opcode::V128Const) {
    std::memcpy(&out.low, instruction.v128.data(), sizeof(out.low));
    std::memcpy(&out.high, instruction.v128.data() + sizeof(out.low), sizeof(out.high));
  }
  return out;
}

}  // namespace

Result<ConstExpr> read_const_expr(Reader& reader) {
  InstructionReader instructions(reader);
  ConstExpr out;
  while (true) {
    const Instruction instruction = TRY(instructions.next());
    if (instruction.opcode == Opcode::End) break;
    if (!is_constant(instruction.opcode)) {
      return fail_at(ErrorKind::Invalid, instruction.offset, "constant expression required");
    }
    if (out.size() == kMaxConstExpr) {
      return fail_at(
          ErrorKind::LimitExceeded, instruction.offset,
          "constant expression of more than " + std::to_string(kMaxConstExpr) + " instructions");
    }
    out.push_back(constant_of(instruction));
  }
  reader = instructions.reader();
  return out;
}

}  // namespace engine::binary
