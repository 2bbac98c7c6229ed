// Floating point (core spec 4.3.3). No fast-math flag, no contraction. LLVM takes x*1, x-0, x+-0
// and demote(promote(x)) for x, but the specification wants a signalling NaN quieted: a fence hides
// the constant, at no cost in machine code. abs, neg and copysign are bit operations.
#include <llvm/IR/Intrinsics.h>

#include "engine/compiler/function_lowering.hpp"

namespace engine::compiler {
namespace {

using Binary = llvm::Instruction::BinaryOps;

/// Constants with which an operation may fold to its other operand or to its negation.
bool folds(const llvm::Value* value) {
  const auto* constant = llvm::dyn_cast<llvm::ConstantFP>(value);
  return constant &&
         (constant->isZero() || constant->isExactlyValue(1.0) || constant->isExactlyValue(-1.0));
}

}  // namespace

void FunctionLowering::float_arithmetic(Binary operation) {
  llvm::Value* right = pop();
  llvm::Value* left = pop();
  if (folds(right)) {
    right = fence(right);
  } else if (folds(left)) {
    left = fence(left);
  }
  push(builder.CreateBinOp(operation, left, right));
}

// minss(a, b) is a < b ? a : b. Both orders differ only for zeros of unlike sign and for NaNs; `or`
// then yields -0 for the minimum, `and` +0 for the maximum, and NaNs take the sum, which is quiet.
llvm::Value* FunctionLowering::float_extremum(llvm::Value* left, llvm::Value* right,
                                              bool is_minimum) {
  llvm::Type* type = left->getType();
  llvm::Type* bits = type->getWithNewType(builder.getIntNTy(type->getScalarSizeInBits()));
  const auto one_way = [&](llvm::Value* first, llvm::Value* second) {
    llvm::Value* test =
        is_minimum ? builder.CreateFCmpOLT(first, second) : builder.CreateFCmpOGT(first, second);
    return builder.CreateBitCast(builder.CreateSelect(test, first, second), bits);
  };
  llvm::Value* one = one_way(left, right);
  llvm::Value* other = one_way(right, left);
  llvm::Value* merged = is_minimum ? builder.CreateOr(one, other) : builder.CreateAnd(one, other);
  llvm::Value* unordered = builder.CreateFCmpUNO(left, right);
  return builder.CreateSelect(unordered, builder.CreateFAdd(left, right),
                              builder.CreateBitCast(merged, type));
}

bool FunctionLowering::lower_float(const Instruction& instruction) {
  const auto unary = [this](llvm::Intrinsic::ID id) {
    push(builder.CreateUnaryIntrinsic(id, pop()));
    return true;
  };
  const auto arithmetic = [this](Binary operation) {
    float_arithmetic(operation);
    return true;
  };
  const auto extremum = [this](bool is_minimum) {
    llvm::Value* right = pop();
    push(float_extremum(pop(), right, is_minimum));
    return true;
  };
  switch (instruction.opcode) {
    case Opcode::F32Add:
    case Opcode::F64Add:
      return arithmetic(Binary::FAdd);
    case Opcode::F32Sub:
    case Opcode::F64Sub:
      return arithmetic(Binary::FSub);
    case Opcode::F32Mul:
    case Opcode::F64Mul:
      return arithmetic(Binary::FMul);
    case Opcode::F32Div:
    case Opcode::F64Div:
      return arithmetic(Binary::FDiv);
    case Opcode::F32Min:
    case Opcode::F64Min:
      return extremum(true);
    case Opcode::F32Max:
    case Opcode::F64Max:
      return extremum(false);
    case Opcode::F32Abs:
    case Opcode::F64Abs:
      return unary(llvm::Intrinsic::fabs);
    case Opcode::F32Neg:
    case Opcode::F64Neg:
      push(builder.CreateFNeg(pop()));
      return true;
    case Opcode::F32Copysign:
    case Opcode::F64Copysign: {
      llvm::Value* sign = pop();
      push(builder.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, pop(), sign));
      return true;
    }
    case Opcode::F32Ceil:
    case Opcode::F64Ceil:
      return unary(llvm::Intrinsic::ceil);
    case Opcode::F32Floor:
    case Opcode::F64Floor:
      return unary(llvm::Intrinsic::floor);
    case Opcode::F32Trunc:
    case Opcode::F64Trunc:
      return unary(llvm::Intrinsic::trunc);
    case Opcode::F32Nearest:
    case Opcode::F64Nearest:
      return unary(llvm::Intrinsic::roundeven);
    case Opcode::F32Sqrt:
    case Opcode::F64Sqrt:
      return unary(llvm::Intrinsic::sqrt);
    default:
      return false;
  }
}

}  // namespace engine::compiler
