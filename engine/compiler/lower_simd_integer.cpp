// Integer operations lane by lane (core spec 4.3.6).
#include <llvm/IR/Intrinsics.h>

#include <array>

#include "engine/compiler/lower_simd.hpp"

namespace engine::compiler {
namespace {

using Binary = llvm::Instruction::BinaryOps;
using Predicate = llvm::CmpInst::Predicate;

constexpr std::array kBinaries = {Row<Binary>{"add", Binary::Add}, Row<Binary>{"sub", Binary::Sub},
                                  Row<Binary>{"mul", Binary::Mul}};

constexpr std::array kShifts = {Row<Binary>{"shl", Binary::Shl}, Row<Binary>{"shr_s", Binary::AShr},
                                Row<Binary>{"shr_u", Binary::LShr}};

constexpr std::array kIntrinsics = {
    Row<unsigned>{"add_sat_s", llvm::Intrinsic::sadd_sat},
    Row<unsigned>{"add_sat_u", llvm::Intrinsic::uadd_sat},
    Row<unsigned>{"sub_sat_s", llvm::Intrinsic::ssub_sat},
    Row<unsigned>{"sub_sat_u", llvm::Intrinsic::usub_sat},
    Row<unsigned>{"min_s", llvm::Intrinsic::smin},
    Row<unsigned>{"min_u", llvm::Intrinsic::umin},
    Row<unsigned>{"max_s", llvm::Intrinsic::smax},
    Row<unsigned>{"max_u", llvm::Intrinsic::umax},
};

constexpr std::array kPredicates = {
    Row<Predicate>{"eq", Predicate::ICMP_EQ},    Row<Predicate>{"ne", Predicate::ICMP_NE},
    Row<Predicate>{"lt_s", Predicate::ICMP_SLT}, Row<Predicate>{"lt_u", Predicate::ICMP_ULT},
    Row<Predicate>{"gt_s", Predicate::ICMP_SGT}, Row<Predicate>{"gt_u", Predicate::ICMP_UGT},
    Row<Predicate>{"le_s", Predicate::ICMP_SLE}, Row<Predicate>{"le_u", Predicate::ICMP_ULE},
    Row<Predicate>{"ge_s", Predicate::ICMP_SGE}, Row<Predicate>{"ge_u", Predicate::ICMP_UGE},
};

}  // namespace

bool SimdLowering::lower_binary_integer() {
  for (const auto& [operation, meaning] : kBinaries) {
    if (operation != operation_) continue;
    llvm::Value* right = pop_vector();
    push_vector(builder_.CreateBinOp(meaning, pop_vector(), right));
    return true;
  }
  for (const auto& [operation, meaning] : kIntrinsics) {
    if (operation != operation_) continue;
    llvm::Value* right = pop_vector();
    push_vector(builder_.CreateBinaryIntrinsic(meaning, pop_vector(), right));
    return true;
  }
  for (const auto& [operation, meaning] : kPredicates) {
    if (operation != operation_) continue;
    compare_integers(meaning);
    return true;
  }
  for (const auto& [operation, meaning] : kShifts) {
    if (operation != operation_) continue;
    shift(meaning);
    return true;
  }
  return false;
}

void SimdLowering::compare_integers(Predicate predicate) {
  llvm::Value* right = pop_vector();
  push_mask(builder_.CreateICmp(predicate, pop_vector(), right));
}

void SimdLowering::shift(Binary operation) {
  // The count is taken modulo the lanes' width.
  llvm::Value* count = builder_.CreateAnd(
      function_.pop(), function_.i32_constant(element_->getScalarSizeInBits() - 1));
  count = builder_.CreateVectorSplat(lanes_, builder_.CreateZExtOrTrunc(count, element_));
  push_vector(builder_.CreateBinOp(operation, pop_vector(), count));
}

// The operands' lanes are twice as wide and signed; the result is clamped to this shape.
void SimdLowering::narrow(bool is_signed) {
  const unsigned width = element_->getScalarSizeInBits();
  llvm::FixedVectorType* wide = vector_of(builder_.getIntNTy(2 * width), lanes_ / 2);
  llvm::Value* second = pop_vector(wide);
  llvm::Value* first = pop_vector(wide);
  llvm::SmallVector<int, 16> all;
  for (unsigned i = 0; i < lanes_; ++i) all.push_back(static_cast<int>(i));
  llvm::Value* both = builder_.CreateShuffleVector(first, second, all);
  const llvm::APInt least =
      is_signed ? llvm::APInt::getSignedMinValue(width).sext(2 * width) : llvm::APInt(2 * width, 0);
  const llvm::APInt most = is_signed ? llvm::APInt::getSignedMaxValue(width).sext(2 * width)
                                     : llvm::APInt::getMaxValue(width).zext(2 * width);
  both = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, both,
                                        llvm::ConstantInt::get(both->getType(), least));
  both = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, both,
                                        llvm::ConstantInt::get(both->getType(), most));
  push_vector(builder_.CreateTrunc(both, vector_));
}

// (a + b + 1) / 2 without loss: pavgb and pavgw.
void SimdLowering::average() {
  llvm::Value* right = extended(pop_vector(), false);
  llvm::Value* left = extended(pop_vector(), false);
  llvm::Value* one = llvm::ConstantInt::get(left->getType(), 1);
  llvm::Value* sum = builder_.CreateAdd(builder_.CreateAdd(left, right), one);
  push_vector(builder_.CreateTrunc(builder_.CreateLShr(sum, one), vector_));
}

// Fixed-point product with 15 fraction bits: only -1 x -1 leaves the range.
void SimdLowering::rounded_product() {
  llvm::Value* right = extended(pop_vector(), true);
  llvm::Value* left = extended(pop_vector(), true);
  llvm::Type* wide = left->getType();
  llvm::Value* product = builder_.CreateMul(left, right);
  product = builder_.CreateAdd(product, llvm::ConstantInt::get(wide, 0x4000));
  product = builder_.CreateAShr(product, llvm::ConstantInt::get(wide, 15));
  product = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, product,
                                           llvm::ConstantInt::get(wide, 0x7fff));
  push_vector(builder_.CreateTrunc(product, vector_));
}

bool SimdLowering::lower_integer() {
  if (lower_binary_integer()) return true;
  llvm::Value* const zero = llvm::Constant::getNullValue(vector_);
  if (operation_ == "neg") {
    push_vector(builder_.CreateNeg(pop_vector()));
  } else if (operation_ == "abs") {
    push_vector(
        builder_.CreateBinaryIntrinsic(llvm::Intrinsic::abs, pop_vector(), builder_.getFalse()));
  } else if (operation_ == "popcnt") {
    push_vector(builder_.CreateUnaryIntrinsic(llvm::Intrinsic::ctpop, pop_vector()));
  } else if (operation_ == "avgr_u") {
    average();
  } else if (operation_ == "q15mulr_sat_s") {
    rounded_product();
  } else if (operation_.starts_with("narrow_")) {
    narrow(operation_.ends_with("_s"));
  } else if (operation_ == "all_true") {
    llvm::Value* set = builder_.CreateICmpNE(pop_vector(), zero);
    function_.push(builder_.CreateZExt(builder_.CreateAndReduce(set), chunk_.i32));
  } else if (operation_ == "bitmask") {
    llvm::Value* negative = builder_.CreateICmpSLT(pop_vector(), zero);
    llvm::Value* bits = builder_.CreateBitCast(negative, builder_.getIntNTy(lanes_));
    function_.push(builder_.CreateZExt(bits, chunk_.i32));
  } else {
    return false;
  }
  return true;
}

}  // namespace engine::compiler
