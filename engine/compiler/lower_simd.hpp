// SIMD (core spec 4.3.6, 4.4.3): a vector instruction's text says all there is to know, "i16x8" its
// shape and "add_sat_s" its operation; the families below look operations up in tables. Values on
// the stack are <2 x i64>, whatever the shape.
#pragma once

#include <string_view>

#include "engine/compiler/function_lowering.hpp"

namespace engine::compiler {

/// What an operation of one family is to LLVM.
template <typename Meaning>
struct Row {
  std::string_view operation;
  Meaning meaning;
};

class SimdLowering {
 public:
  SimdLowering(FunctionLowering& lowering, const Instruction& instruction);

  /// False when no family knows the instruction.
  bool run();

 private:
  // Families: true when the operation was theirs.
  bool lower_bits();        // lower_simd.cpp
  bool lower_lanes();       // lower_simd_lanes.cpp
  bool lower_memory();      // lower_simd_memory.cpp
  bool lower_integer();     // lower_simd_integer.cpp
  bool lower_widening();    // lower_simd_widening.cpp
  bool lower_float();       // lower_simd_float.cpp
  bool lower_conversion();  // lower_simd_float.cpp

  llvm::Value* pop_vector() { return function_.pop_as(vector_); }
  llvm::Value* pop_vector(llvm::Type* type) { return function_.pop_as(type); }
  void push_vector(llvm::Value* value);
  /// i1 per lane to all ones or zeros.
  void push_mask(llvm::Value* lanes);
  llvm::FixedVectorType* vector_of(llvm::Type* element, unsigned lanes) const;
  /// Lanes first, first + stride, ... of the vector.
  llvm::Value* every(llvm::Value* value, unsigned first, unsigned stride, unsigned count);
  /// The vector's lanes, then those of zero.
  llvm::Value* with_zeros(llvm::Value* value);
  llvm::Value* extended(llvm::Value* value, bool is_signed);

  // lower_simd_lanes.cpp
  void shuffle();
  void swizzle();

  // lower_simd_integer.cpp
  bool lower_binary_integer();
  void compare_integers(llvm::CmpInst::Predicate predicate);
  void shift(llvm::Instruction::BinaryOps operation);
  void narrow(bool is_signed);
  void average();
  void rounded_product();

  // lower_simd_float.cpp
  void arithmetic(llvm::Instruction::BinaryOps operation);
  void pseudo_extremum(bool is_minimum);
  void compare_floats(llvm::CmpInst::Predicate predicate);

  FunctionLowering& function_;
  const Instruction& instruction_;
  llvm::IRBuilder<>& builder_;
  ChunkModule& chunk_;
  std::string_view shape_;      ///< "i8x16"
  std::string_view operation_;  ///< "add"
  llvm::Type* element_ = nullptr;
  unsigned lanes_ = 0;
  llvm::FixedVectorType* vector_ = nullptr;
};

}  // namespace engine::compiler
