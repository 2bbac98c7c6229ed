// Conversions between number types (core spec 4.3.4). A float that does not fit is poison in LLVM:
// its range is checked before the conversion.
#include <llvm/IR/Intrinsics.h>

#include "engine/compiler/function_lowering.hpp"

namespace engine::compiler {
namespace {

/// The open interval of floats that truncate into the integer type.
struct Range {
  llvm::APFloat above;
  llvm::APFloat below;
};

Range truncation_range(const llvm::fltSemantics& semantics, unsigned width, bool is_signed) {
  // Rounded towards zero: 2^31 and 2^63 are exact; -2^31-1 is exact in f64 only, otherwise it
  // becomes -2^31, which is then the last value that fits.
  llvm::APFloat below(semantics);
  llvm::APFloat above(semantics);
  const llvm::APInt one(width + 2, 1);
  const llvm::APInt limit = one.shl(is_signed ? width - 1 : width);
  below.convertFromAPInt(limit, true, llvm::APFloat::rmTowardZero);
  const llvm::APInt low = is_signed ? -limit - 1 : -one;
  const auto exact = above.convertFromAPInt(low, true, llvm::APFloat::rmTowardZero);
  if (exact & llvm::APFloat::opInexact) above.next(true);
  return {above, below};
}

}  // namespace

void FunctionLowering::truncate(llvm::Type* to, bool is_signed) {
  llvm::Value* value = pop();
  llvm::Type* from = value->getType();
  const Range range =
      truncation_range(from->getFltSemantics(), to->getIntegerBitWidth(), is_signed);
  const auto constant = [&](const llvm::APFloat& number) {
    return llvm::ConstantFP::get(chunk.context, number);
  };
  llvm::Value* fits = builder.CreateAnd(builder.CreateFCmpOGT(value, constant(range.above)),
                                        builder.CreateFCmpOLT(value, constant(range.below)));
  llvm::BasicBlock* bad = new_block("unrepresentable");
  llvm::BasicBlock* good = new_block("next");
  builder.CreateCondBr(fits, good, bad);
  builder.SetInsertPoint(bad);
  trap_if(builder.CreateFCmpUNO(value, value), Trap::InvalidConversionToInteger);
  chunk.emit_trap(builder, Trap::IntegerOverflow);
  builder.SetInsertPoint(good);
  push(is_signed ? builder.CreateFPToSI(value, to) : builder.CreateFPToUI(value, to));
}

bool FunctionLowering::lower_conversion(const Instruction& instruction) {
  const auto trapping = [this](llvm::Type* to, bool is_signed) {
    truncate(to, is_signed);
    return true;
  };
  const auto saturating = [this](llvm::Type* to, bool is_signed) {
    llvm::Value* value = pop();
    push(builder.CreateIntrinsic(
        is_signed ? llvm::Intrinsic::fptosi_sat : llvm::Intrinsic::fptoui_sat,
        {to, value->getType()}, {value}));
    return true;
  };
  const auto convert = [this](llvm::Instruction::CastOps operation, llvm::Type* to) {
    push(builder.CreateCast(operation, pop(), to));
    return true;
  };
  const auto extend_low = [this](llvm::Type* low) {
    llvm::Value* value = pop();
    push(builder.CreateSExt(builder.CreateTrunc(value, low), value->getType()));
    return true;
  };
  using Cast = llvm::Instruction::CastOps;
  switch (instruction.opcode) {
    case Opcode::I32WrapI64:
      return convert(Cast::Trunc, chunk.i32);
    case Opcode::I64ExtendI32S:
      return convert(Cast::SExt, chunk.i64);
    case Opcode::I64ExtendI32U:
      return convert(Cast::ZExt, chunk.i64);
    case Opcode::I32Extend8S:
    case Opcode::I64Extend8S:
      return extend_low(chunk.i8);
    case Opcode::I32Extend16S:
    case Opcode::I64Extend16S:
      return extend_low(chunk.i16);
    case Opcode::I64Extend32S:
      return extend_low(chunk.i32);
    case Opcode::I32TruncF32S:
    case Opcode::I32TruncF64S:
      return trapping(chunk.i32, true);
    case Opcode::I32TruncF32U:
    case Opcode::I32TruncF64U:
      return trapping(chunk.i32, false);
    case Opcode::I64TruncF32S:
    case Opcode::I64TruncF64S:
      return trapping(chunk.i64, true);
    case Opcode::I64TruncF32U:
    case Opcode::I64TruncF64U:
      return trapping(chunk.i64, false);
    case Opcode::I32TruncSatF32S:
    case Opcode::I32TruncSatF64S:
      return saturating(chunk.i32, true);
    case Opcode::I32TruncSatF32U:
    case Opcode::I32TruncSatF64U:
      return saturating(chunk.i32, false);
    case Opcode::I64TruncSatF32S:
    case Opcode::I64TruncSatF64S:
      return saturating(chunk.i64, true);
    case Opcode::I64TruncSatF32U:
    case Opcode::I64TruncSatF64U:
      return saturating(chunk.i64, false);
    case Opcode::F32ConvertI32S:
    case Opcode::F32ConvertI64S:
      return convert(Cast::SIToFP, chunk.f32);
    case Opcode::F32ConvertI32U:
    case Opcode::F32ConvertI64U:
      return convert(Cast::UIToFP, chunk.f32);
    case Opcode::F64ConvertI32S:
    case Opcode::F64ConvertI64S:
      return convert(Cast::SIToFP, chunk.f64);
    case Opcode::F64ConvertI32U:
    case Opcode::F64ConvertI64U:
      return convert(Cast::UIToFP, chunk.f64);
    case Opcode::F32DemoteF64:
      push(builder.CreateFPTrunc(fence(pop()), chunk.f32));
      return true;
    case Opcode::F64PromoteF32:
      return convert(Cast::FPExt, chunk.f64);
    case Opcode::I32ReinterpretF32:
      return convert(Cast::BitCast, chunk.i32);
    case Opcode::I64ReinterpretF64:
      return convert(Cast::BitCast, chunk.i64);
    case Opcode::F32ReinterpretI32:
      return convert(Cast::BitCast, chunk.f32);
    case Opcode::F64ReinterpretI64:
      return convert(Cast::BitCast, chunk.f64);
    default:
      return false;
  }
}

}  // namespace engine::compiler
