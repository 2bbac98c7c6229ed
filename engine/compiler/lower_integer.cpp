// Integer arithmetic and comparisons (core spec 4.3.2). Wasm arithmetic wraps: never nsw or nuw.
// What would be poison in LLVM (shift counts, division) is excluded before the operation.
#include <llvm/IR/Intrinsics.h>

#include "engine/compiler/function_lowering.hpp"

namespace engine::compiler {
namespace {

using Binary = llvm::Instruction::BinaryOps;
using Predicate = llvm::CmpInst::Predicate;

struct PlainOperation {
  Opcode opcode;
  Binary operation;
};

constexpr PlainOperation kPlain[] = {
    {Opcode::I32Add, Binary::Add}, {Opcode::I64Add, Binary::Add}, {Opcode::I32Sub, Binary::Sub},
    {Opcode::I64Sub, Binary::Sub}, {Opcode::I32Mul, Binary::Mul}, {Opcode::I64Mul, Binary::Mul},
    {Opcode::I32And, Binary::And}, {Opcode::I64And, Binary::And}, {Opcode::I32Or, Binary::Or},
    {Opcode::I64Or, Binary::Or},   {Opcode::I32Xor, Binary::Xor}, {Opcode::I64Xor, Binary::Xor},
};

constexpr PlainOperation kShifts[] = {
    {Opcode::I32Shl, Binary::Shl},   {Opcode::I64Shl, Binary::Shl},
    {Opcode::I32ShrS, Binary::AShr}, {Opcode::I64ShrS, Binary::AShr},
    {Opcode::I32ShrU, Binary::LShr}, {Opcode::I64ShrU, Binary::LShr},
};

struct Comparison {
  Opcode opcode;
  Predicate predicate;
};

constexpr Comparison kComparisons[] = {
    {Opcode::I32Eq, Predicate::ICMP_EQ},   {Opcode::I64Eq, Predicate::ICMP_EQ},
    {Opcode::I32Ne, Predicate::ICMP_NE},   {Opcode::I64Ne, Predicate::ICMP_NE},
    {Opcode::I32LtS, Predicate::ICMP_SLT}, {Opcode::I64LtS, Predicate::ICMP_SLT},
    {Opcode::I32LtU, Predicate::ICMP_ULT}, {Opcode::I64LtU, Predicate::ICMP_ULT},
    {Opcode::I32GtS, Predicate::ICMP_SGT}, {Opcode::I64GtS, Predicate::ICMP_SGT},
    {Opcode::I32GtU, Predicate::ICMP_UGT}, {Opcode::I64GtU, Predicate::ICMP_UGT},
    {Opcode::I32LeS, Predicate::ICMP_SLE}, {Opcode::I64LeS, Predicate::ICMP_SLE},
    {Opcode::I32LeU, Predicate::ICMP_ULE}, {Opcode::I64LeU, Predicate::ICMP_ULE},
    {Opcode::I32GeS, Predicate::ICMP_SGE}, {Opcode::I64GeS, Predicate::ICMP_SGE},
    {Opcode::I32GeU, Predicate::ICMP_UGE}, {Opcode::I64GeU, Predicate::ICMP_UGE},
    {Opcode::F32Eq, Predicate::FCMP_OEQ},  {Opcode::F64Eq, Predicate::FCMP_OEQ},
    {Opcode::F32Ne, Predicate::FCMP_UNE},  {Opcode::F64Ne, Predicate::FCMP_UNE},
    {Opcode::F32Lt, Predicate::FCMP_OLT},  {Opcode::F64Lt, Predicate::FCMP_OLT},
    {Opcode::F32Gt, Predicate::FCMP_OGT},  {Opcode::F64Gt, Predicate::FCMP_OGT},
    {Opcode::F32Le, Predicate::FCMP_OLE},  {Opcode::F64Le, Predicate::FCMP_OLE},
    {Opcode::F32Ge, Predicate::FCMP_OGE},  {Opcode::F64Ge, Predicate::FCMP_OGE},
};

}  // namespace

void FunctionLowering::push_bool(llvm::Value* value) { push(builder.CreateZExt(value, chunk.i32)); }

bool FunctionLowering::lower_compare(const Instruction& instruction) {
  if (instruction.opcode == Opcode::I32Eqz || instruction.opcode == Opcode::I64Eqz) {
    push_bool(builder.CreateIsNull(pop()));
    return true;
  }
  for (const Comparison& row : kComparisons) {
    if (row.opcode != instruction.opcode) continue;
    llvm::Value* right = pop();
    llvm::Value* left = pop();
    push_bool(builder.CreateCmp(row.predicate, left, right));
    return true;
  }
  return false;
}

bool FunctionLowering::lower_integer(const Instruction& instruction) {
  for (const PlainOperation& row : kPlain) {
    if (row.opcode != instruction.opcode) continue;
    llvm::Value* right = pop();
    llvm::Value* left = pop();
    push(builder.CreateBinOp(row.operation, left, right));
    return true;
  }
  for (const PlainOperation& row : kShifts) {
    if (row.opcode != instruction.opcode) continue;
    llvm::Value* count = pop();
    llvm::Value* value = pop();
    const std::uint64_t mask = value->getType()->getIntegerBitWidth() - 1;
    llvm::Value* masked = builder.CreateAnd(count, mask);
    push(builder.CreateBinOp(row.operation, value, masked));
    return true;
  }
  const auto count_zeros = [this](llvm::Intrinsic::ID id) {
    llvm::Value* value = pop();
    push(builder.CreateBinaryIntrinsic(id, value, builder.getFalse()));
    return true;
  };
  const auto rotate = [this](llvm::Intrinsic::ID id) {
    llvm::Value* count = pop();
    llvm::Value* value = pop();
    push(builder.CreateIntrinsic(id, {value->getType()}, {value, value, count}));
    return true;
  };
  switch (instruction.opcode) {
    case Opcode::I32Clz:
    case Opcode::I64Clz:
      return count_zeros(llvm::Intrinsic::ctlz);
    case Opcode::I32Ctz:
    case Opcode::I64Ctz:
      return count_zeros(llvm::Intrinsic::cttz);
    case Opcode::I32Popcnt:
    case Opcode::I64Popcnt:
      push(builder.CreateUnaryIntrinsic(llvm::Intrinsic::ctpop, pop()));
      return true;
    case Opcode::I32Rotl:
    case Opcode::I64Rotl:
      return rotate(llvm::Intrinsic::fshl);
    case Opcode::I32Rotr:
    case Opcode::I64Rotr:
      return rotate(llvm::Intrinsic::fshr);
    case Opcode::I32DivS:
    case Opcode::I64DivS:
      divide(true, false);
      return true;
    case Opcode::I32DivU:
    case Opcode::I64DivU:
      divide(false, false);
      return true;
    case Opcode::I32RemS:
    case Opcode::I64RemS:
      divide(true, true);
      return true;
    case Opcode::I32RemU:
    case Opcode::I64RemU:
      divide(false, true);
      return true;
    default:
      return false;
  }
}

void FunctionLowering::divide(bool is_signed, bool remainder) {
  llvm::Value* divisor = pop();
  llvm::Value* value = pop();
  llvm::Type* type = value->getType();
  const auto* constant = llvm::dyn_cast<llvm::ConstantInt>(divisor);
  if (!constant || constant->isZero()) {
    trap_if(builder.CreateIsNull(divisor), Trap::IntegerDivideByZero);
  }
  if (is_signed && (!constant || constant->isMinusOne())) {
    llvm::Value* minus_one = builder.CreateICmpEQ(divisor, llvm::Constant::getAllOnesValue(type));
    if (remainder) {
      // The remainder by -1 is 0, as it is by 1; the machine's division would overflow.
      divisor = builder.CreateSelect(minus_one, llvm::ConstantInt::get(type, 1), divisor);
    } else {
      llvm::Value* minimum = builder.CreateICmpEQ(
          value,
          llvm::ConstantInt::get(type, llvm::APInt::getSignedMinValue(type->getIntegerBitWidth())));
      trap_if(builder.CreateAnd(minus_one, minimum), Trap::IntegerOverflow);
    }
  }
  if (remainder) {
    push(is_signed ? builder.CreateSRem(value, divisor) : builder.CreateURem(value, divisor));
  } else {
    push(is_signed ? builder.CreateSDiv(value, divisor) : builder.CreateUDiv(value, divisor));
  }
}

}  // namespace engine::compiler
