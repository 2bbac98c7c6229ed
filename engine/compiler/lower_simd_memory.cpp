// Loads and stores of vectors and lanes (core spec 4.4.7).
#include <array>

#include "engine/compiler/lower_simd.hpp"

namespace engine::compiler {
namespace {

/// "load16x4_s": four lanes of 16 bits, each extended to twice its width.
struct Widening {
  std::string_view operation;
  unsigned bits;
  unsigned lanes;
  bool is_signed;
};

constexpr std::array kWidenings = {
    Widening{"load8x8_s", 8, 8, true},   Widening{"load8x8_u", 8, 8, false},
    Widening{"load16x4_s", 16, 4, true}, Widening{"load16x4_u", 16, 4, false},
    Widening{"load32x2_s", 32, 2, true}, Widening{"load32x2_u", 32, 2, false},
};

}  // namespace

bool SimdLowering::lower_memory() {
  const MemArg& memarg = instruction_.memarg;
  const unsigned bits = 8U * info(instruction_.opcode).access;
  llvm::Type* lane = builder_.getIntNTy(bits);
  if (operation_ == "load") {
    push_vector(function_.load(chunk_.v128, function_.pop_address(memarg), memarg));
    return true;
  }
  if (operation_ == "store") {
    llvm::Value* value = pop_vector();
    function_.store(value, function_.pop_address(memarg), memarg);
    return true;
  }
  for (const Widening& widening : kWidenings) {
    if (operation_ != widening.operation) continue;
    llvm::Type* narrow = vector_of(builder_.getIntNTy(widening.bits), widening.lanes);
    llvm::Value* value = function_.load(narrow, function_.pop_address(memarg), memarg);
    push_vector(extended(value, widening.is_signed));
    return true;
  }
  if (operation_.ends_with("_splat")) {
    llvm::Value* value = function_.load(lane, function_.pop_address(memarg), memarg);
    push_vector(builder_.CreateVectorSplat(128 / bits, value));
    return true;
  }
  if (operation_.ends_with("_zero")) {
    llvm::Value* value = function_.load(lane, function_.pop_address(memarg), memarg);
    llvm::Value* zero = llvm::Constant::getNullValue(vector_of(lane, 128 / bits));
    push_vector(builder_.CreateInsertElement(zero, value, std::uint64_t{0}));
    return true;
  }
  if (!operation_.ends_with("_lane")) return false;
  llvm::Value* vector = pop_vector(vector_of(lane, 128 / bits));
  llvm::Value* place = function_.pop_address(memarg);
  const std::uint64_t index = instruction_.lane;
  if (operation_.starts_with("load")) {
    llvm::Value* value = function_.load(lane, place, memarg);
    push_vector(builder_.CreateInsertElement(vector, value, index));
  } else {
    function_.store(builder_.CreateExtractElement(vector, index), place, memarg);
  }
  return true;
}

}  // namespace engine::compiler
