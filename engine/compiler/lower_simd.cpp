// The SIMD families' door, what they share, and the operations on a vector as 128 bits.
#include "engine/compiler/lower_simd.hpp"

#include <cstring>

namespace engine::compiler {
namespace {

struct Shape {
  std::string_view name;
  unsigned lanes;
};

constexpr Shape kShapes[] = {{"i8x16", 16}, {"i16x8", 8}, {"i32x4", 4}, {"i64x2", 2},
                             {"f32x4", 4},  {"f64x2", 2}, {"v128", 2}};

llvm::Type* element_of(const ChunkModule& chunk, const Shape& shape) {
  if (shape.name[0] == 'f') return shape.lanes == 4 ? chunk.f32 : chunk.f64;
  switch (shape.lanes) {
    case 16:
      return chunk.i8;
    case 8:
      return chunk.i16;
    case 4:
      return chunk.i32;
    default:
      return chunk.i64;
  }
}

}  // namespace

SimdLowering::SimdLowering(FunctionLowering& lowering, const Instruction& instruction)
    : function_(lowering),
      instruction_(instruction),
      builder_(lowering.builder),
      chunk_(lowering.chunk) {
  const std::string_view text = info(instruction.opcode).text;
  const std::size_t dot = text.find('.');
  shape_ = text.substr(0, dot);
  operation_ = text.substr(dot + 1);
  for (const Shape& shape : kShapes) {
    if (shape.name != shape_) continue;
    element_ = element_of(chunk_, shape);
    lanes_ = shape.lanes;
    vector_ = vector_of(element_, lanes_);
  }
}

bool SimdLowering::run() {
  if (vector_ == nullptr) return false;
  if (shape_ == "v128") return lower_bits() || lower_memory();
  if (lower_lanes() || lower_conversion()) return true;
  return shape_[0] == 'f' ? lower_float() : lower_integer() || lower_widening();
}

void SimdLowering::push_vector(llvm::Value* value) {
  function_.push(builder_.CreateBitCast(value, chunk_.v128));
}

void SimdLowering::push_mask(llvm::Value* lanes) {
  llvm::Type* integer = builder_.getIntNTy(element_->getScalarSizeInBits());
  push_vector(builder_.CreateSExt(lanes, vector_of(integer, lanes_)));
}

llvm::FixedVectorType* SimdLowering::vector_of(llvm::Type* element, unsigned lanes) const {
  return llvm::FixedVectorType::get(element, lanes);
}

llvm::Value* SimdLowering::every(llvm::Value* value, unsigned first, unsigned stride,
                                 unsigned count) {
  llvm::SmallVector<int, 16> mask;
  for (unsigned i = 0; i < count; ++i) mask.push_back(static_cast<int>(first + i * stride));
  return builder_.CreateShuffleVector(value, mask);
}

llvm::Value* SimdLowering::with_zeros(llvm::Value* value) {
  const unsigned lanes = llvm::cast<llvm::FixedVectorType>(value->getType())->getNumElements();
  llvm::SmallVector<int, 16> mask;
  for (unsigned i = 0; i < 2 * lanes; ++i) mask.push_back(static_cast<int>(i));
  return builder_.CreateShuffleVector(value, llvm::Constant::getNullValue(value->getType()), mask);
}

llvm::Value* SimdLowering::extended(llvm::Value* value, bool is_signed) {
  const auto* type = llvm::cast<llvm::FixedVectorType>(value->getType());
  llvm::Type* wide =
      vector_of(builder_.getIntNTy(2 * type->getScalarSizeInBits()), type->getNumElements());
  return is_signed ? builder_.CreateSExt(value, wide) : builder_.CreateZExt(value, wide);
}

bool SimdLowering::lower_bits() {
  const auto binary = [this](auto&& combine) {
    llvm::Value* right = pop_vector();
    push_vector(combine(pop_vector(), right));
    return true;
  };
  switch (instruction_.opcode) {
    case Opcode::V128Const: {
      std::uint64_t halves[2];
      std::memcpy(halves, instruction_.v128.data(), sizeof(halves));
      function_.push(llvm::ConstantDataVector::get(chunk_.context, halves));
      return true;
    }
    case Opcode::V128Not:
      push_vector(builder_.CreateNot(pop_vector()));
      return true;
    case Opcode::V128And:
      return binary([this](auto* a, auto* b) { return builder_.CreateAnd(a, b); });
    case Opcode::V128Andnot:
      return binary(
          [this](auto* a, auto* b) { return builder_.CreateAnd(a, builder_.CreateNot(b)); });
    case Opcode::V128Or:
      return binary([this](auto* a, auto* b) { return builder_.CreateOr(a, b); });
    case Opcode::V128Xor:
      return binary([this](auto* a, auto* b) { return builder_.CreateXor(a, b); });
    case Opcode::V128Bitselect: {
      llvm::Value* control = pop_vector();
      llvm::Value* otherwise = pop_vector();
      llvm::Value* chosen = pop_vector();
      push_vector(builder_.CreateOr(builder_.CreateAnd(chosen, control),
                                    builder_.CreateAnd(otherwise, builder_.CreateNot(control))));
      return true;
    }
    case Opcode::V128AnyTrue: {
      llvm::Value* bits = builder_.CreateBitCast(pop_vector(), builder_.getInt128Ty());
      llvm::Value* any = builder_.CreateICmpNE(bits, llvm::Constant::getNullValue(bits->getType()));
      function_.push(builder_.CreateZExt(any, chunk_.i32));
      return true;
    }
    default:
      return false;
  }
}

Result<bool> lower_simd(FunctionLowering& lowering, const Instruction& instruction) {
  return SimdLowering(lowering, instruction).run();
}

}  // namespace engine::compiler
