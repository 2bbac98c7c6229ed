// Floating point lane by lane, and conversions of vectors (core spec 4.3.6); the rules about
// signalling NaNs are those of lower_float.cpp.
#include <llvm/IR/Intrinsics.h>

#include <array>

#include "engine/compiler/lower_simd.hpp"

namespace engine::compiler {
namespace {

using Binary = llvm::Instruction::BinaryOps;
using Predicate = llvm::CmpInst::Predicate;

constexpr std::array kBinaries = {
    Row<Binary>{"add", Binary::FAdd}, Row<Binary>{"sub", Binary::FSub},
    Row<Binary>{"mul", Binary::FMul}, Row<Binary>{"div", Binary::FDiv}};

constexpr std::array kUnaries = {Row<unsigned>{"abs", llvm::Intrinsic::fabs},
                                 Row<unsigned>{"sqrt", llvm::Intrinsic::sqrt},
                                 Row<unsigned>{"ceil", llvm::Intrinsic::ceil},
                                 Row<unsigned>{"floor", llvm::Intrinsic::floor},
                                 Row<unsigned>{"trunc", llvm::Intrinsic::trunc},
                                 Row<unsigned>{"nearest", llvm::Intrinsic::roundeven}};

constexpr std::array kPredicates = {
    Row<Predicate>{"eq", Predicate::FCMP_OEQ}, Row<Predicate>{"ne", Predicate::FCMP_UNE},
    Row<Predicate>{"lt", Predicate::FCMP_OLT}, Row<Predicate>{"gt", Predicate::FCMP_OGT},
    Row<Predicate>{"le", Predicate::FCMP_OLE}, Row<Predicate>{"ge", Predicate::FCMP_OGE}};

}  // namespace

void SimdLowering::arithmetic(Binary operation) {
  llvm::Value* right = pop_vector();
  llvm::Value* left = pop_vector();
  // Any lane of a constant may be one with which the operation folds.
  if (llvm::isa<llvm::Constant>(right)) {
    right = function_.fence(right);
  } else if (llvm::isa<llvm::Constant>(left)) {
    left = function_.fence(left);
  }
  push_vector(builder_.CreateBinOp(operation, left, right));
}

// pmin(a, b) is b < a ? b : a; of NaNs and of equal zeros it is a.
void SimdLowering::pseudo_extremum(bool is_minimum) {
  llvm::Value* right = pop_vector();
  llvm::Value* left = pop_vector();
  llvm::Value* test =
      is_minimum ? builder_.CreateFCmpOLT(right, left) : builder_.CreateFCmpOLT(left, right);
  push_vector(builder_.CreateSelect(test, right, left));
}

void SimdLowering::compare_floats(Predicate predicate) {
  llvm::Value* right = pop_vector();
  push_mask(builder_.CreateFCmp(predicate, pop_vector(), right));
}

bool SimdLowering::lower_float() {
  for (const auto& [operation, meaning] : kBinaries) {
    if (operation != operation_) continue;
    arithmetic(meaning);
    return true;
  }
  for (const auto& [operation, meaning] : kUnaries) {
    if (operation != operation_) continue;
    push_vector(builder_.CreateUnaryIntrinsic(meaning, pop_vector()));
    return true;
  }
  for (const auto& [operation, meaning] : kPredicates) {
    if (operation != operation_) continue;
    compare_floats(meaning);
    return true;
  }
  if (operation_ == "neg") {
    push_vector(builder_.CreateFNeg(pop_vector()));
  } else if (operation_ == "min" || operation_ == "max") {
    llvm::Value* right = pop_vector();
    push_vector(function_.float_extremum(pop_vector(), right, operation_ == "min"));
  } else if (operation_ == "pmin" || operation_ == "pmax") {
    pseudo_extremum(operation_ == "pmin");
  } else {
    return false;
  }
  return true;
}

bool SimdLowering::lower_conversion() {
  llvm::FixedVectorType* const i32x4 = vector_of(chunk_.i32, 4);
  llvm::FixedVectorType* const f32x4 = vector_of(chunk_.f32, 4);
  llvm::FixedVectorType* const f64x2 = vector_of(chunk_.f64, 2);
  // "trunc_sat_f64x2_s_zero", "convert_i32x4_u"
  const bool is_signed = operation_.ends_with("_s") || operation_.ends_with("_s_zero");
  const auto saturated = [&](llvm::Value* value, unsigned lanes) {
    llvm::Type* to = vector_of(chunk_.i32, lanes);
    return builder_.CreateIntrinsic(
        is_signed ? llvm::Intrinsic::fptosi_sat : llvm::Intrinsic::fptoui_sat,
        {to, value->getType()}, {value});
  };
  const auto to_float = [&](llvm::Value* value, llvm::Type* to) {
    return is_signed ? builder_.CreateSIToFP(value, to) : builder_.CreateUIToFP(value, to);
  };
  if (operation_.starts_with("trunc_sat_f32x4_")) {
    push_vector(saturated(pop_vector(f32x4), 4));
  } else if (operation_.starts_with("trunc_sat_f64x2_")) {
    push_vector(with_zeros(saturated(pop_vector(f64x2), 2)));
  } else if (operation_.starts_with("convert_i32x4_")) {
    push_vector(to_float(pop_vector(i32x4), f32x4));
  } else if (operation_.starts_with("convert_low_i32x4_")) {
    push_vector(to_float(every(pop_vector(i32x4), 0, 1, 2), f64x2));
  } else if (operation_ == "demote_f64x2_zero") {
    // Demoting what was promoted must quiet a signalling NaN.
    llvm::Value* value = function_.fence(pop_vector(f64x2));
    push_vector(with_zeros(builder_.CreateFPTrunc(value, vector_of(chunk_.f32, 2))));
  } else if (operation_ == "promote_low_f32x4") {
    push_vector(builder_.CreateFPExt(every(pop_vector(f32x4), 0, 1, 2), f64x2));
  } else {
    return false;
  }
  return true;
}

}  // namespace engine::compiler
