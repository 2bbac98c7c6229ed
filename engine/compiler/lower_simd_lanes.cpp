// Lanes in and out of vectors, and their rearrangement (core spec 4.3.6).
#include <llvm/IR/IntrinsicsX86.h>

#include "engine/compiler/lower_simd.hpp"

namespace engine::compiler {

void SimdLowering::shuffle() {
  llvm::Value* second = pop_vector();
  llvm::Value* first = pop_vector();
  llvm::SmallVector<int, 16> mask;
  for (const std::byte lane : instruction_.v128) mask.push_back(std::to_integer<int>(lane));
  push_vector(builder_.CreateShuffleVector(first, second, mask));
}

// pshufb gives 0 for indices with the top bit and takes the low four bits otherwise: adding 0x70
// with saturation sets the top bit of every index above 15.
void SimdLowering::swizzle() {
  llvm::Value* indices = pop_vector();
  llvm::Value* values = pop_vector();
  llvm::Value* offset = llvm::ConstantInt::get(vector_, 0x70);
  indices = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::uadd_sat, indices, offset);
  push_vector(
      builder_.CreateIntrinsic(llvm::Intrinsic::x86_ssse3_pshuf_b_128, {}, {values, indices}));
}

bool SimdLowering::lower_lanes() {
  const std::uint64_t lane = instruction_.lane;
  const bool is_small = element_ == chunk_.i8 || element_ == chunk_.i16;
  if (operation_ == "splat") {
    llvm::Value* value = function_.pop();
    if (is_small) value = builder_.CreateTrunc(value, element_);
    push_vector(builder_.CreateVectorSplat(lanes_, value));
    return true;
  }
  if (operation_.starts_with("extract_lane")) {
    llvm::Value* value = builder_.CreateExtractElement(pop_vector(), lane);
    if (is_small) {
      value = operation_.ends_with("_s") ? builder_.CreateSExt(value, chunk_.i32)
                                         : builder_.CreateZExt(value, chunk_.i32);
    }
    function_.push(value);
    return true;
  }
  if (operation_ == "replace_lane") {
    llvm::Value* value = function_.pop();
    if (is_small) value = builder_.CreateTrunc(value, element_);
    push_vector(builder_.CreateInsertElement(pop_vector(), value, lane));
    return true;
  }
  if (operation_ == "shuffle") {
    shuffle();
    return true;
  }
  if (operation_ == "swizzle") {
    swizzle();
    return true;
  }
  return false;
}

}  // namespace engine::compiler
