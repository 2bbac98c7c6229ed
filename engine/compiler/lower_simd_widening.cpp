// Integer operations whose result has lanes of twice the operands' width: extend, extmul,
// extadd_pairwise, dot (core spec 4.3.6).
#include "engine/compiler/lower_simd.hpp"

namespace engine::compiler {

bool SimdLowering::lower_widening() {
  const bool is_signed = operation_.ends_with("_s");
  const unsigned narrow_lanes = 2 * lanes_;
  llvm::Type* narrow =
      vector_of(builder_.getIntNTy(element_->getScalarSizeInBits() / 2), narrow_lanes);
  // "extend_low_i8x16_s", "extmul_high_i8x16_u"
  const unsigned first = operation_.contains("_high_") ? lanes_ : 0;
  const auto half = [&] {
    return extended(every(pop_vector(narrow), first, 1, lanes_), is_signed);
  };
  const auto pairwise_sum = [&](llvm::Value* wide) {
    return builder_.CreateAdd(every(wide, 0, 2, lanes_), every(wide, 1, 2, lanes_));
  };
  if (operation_.starts_with("extend_")) {
    push_vector(half());
  } else if (operation_.starts_with("extmul_")) {
    llvm::Value* right = half();
    push_vector(builder_.CreateMul(half(), right));
  } else if (operation_.starts_with("extadd_pairwise_")) {
    push_vector(pairwise_sum(extended(pop_vector(narrow), is_signed)));
  } else if (operation_ == "dot_i16x8_s") {
    llvm::Value* right = extended(pop_vector(narrow), true);
    llvm::Value* left = extended(pop_vector(narrow), true);
    push_vector(pairwise_sum(builder_.CreateMul(left, right)));
  } else {
    return false;
  }
  return true;
}

}  // namespace engine::compiler
