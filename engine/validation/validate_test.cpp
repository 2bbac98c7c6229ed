#include "engine/validation/validate.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

#include "engine/binary/decode.hpp"
#include "engine/structure/limits.hpp"

namespace engine {
namespace {

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> out;
  for (const int value : {0, 0x61, 0x73, 0x6d, 1, 0, 0, 0}) out.push_back(std::byte(value));
  for (const int value : values) out.push_back(std::byte(value));
  return out;
}

// One function of type [] -> [i32] with one memory, one local i32 and the given instructions.
std::vector<std::byte> body_of(std::initializer_list<int> instructions) {
  std::vector<std::byte> out = bytes_of({1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 5, 3, 1, 0, 1});
  const int size = static_cast<int>(instructions.size()) + 4;
  for (const int value : {10, size + 2, 1, size, 1, 1, 0x7f}) out.push_back(std::byte(value));
  for (const int value : instructions) out.push_back(std::byte(value));
  out.push_back(std::byte{0x0b});
  return out;
}

std::string verdict(const std::vector<std::byte>& bytes) {
  const auto module = binary::decode(bytes);
  if (!module) return module.error().message();
  const auto valid = validation::validate(*module);
  return valid ? "valid" : valid.error().message();
}

TEST(Decode, NamesTheByteThatIsWrong) {
  EXPECT_EQ(verdict(bytes_of({14, 0})), "malformed: malformed section id 14 (at byte 0xa)");
  EXPECT_EQ(verdict(bytes_of({1, 9, 1})), "malformed: length out of bounds (at byte 0xa)");
  EXPECT_EQ(verdict(bytes_of({1, 2, 0, 0})), "malformed: section size mismatch (at byte 0xb)");
  EXPECT_EQ(verdict(bytes_of({5, 4, 1, 1, 2, 1})),
            "invalid: size minimum must not be greater than maximum");
}

TEST(Decode, RefusesACountThatTheSectionCannotHold) {
  // 0x0fffffff types in a section of five bytes: refused before anything is allocated.
  EXPECT_EQ(verdict(bytes_of({1, 5, 0xff, 0xff, 0xff, 0x7f, 0x60})),
            "malformed: unexpected end (at byte 0xe)");
}

TEST(Decode, RefusesOverlongNumbers) {
  EXPECT_EQ(verdict(bytes_of({1, 6, 0x80, 0x80, 0x80, 0x80, 0x80, 0})),
            "malformed: integer representation too long (at byte 0xf)");
  EXPECT_EQ(verdict(bytes_of({1, 5, 0x80, 0x80, 0x80, 0x80, 0x70})),
            "malformed: integer too large (at byte 0xf)");
}

TEST(Validate, TakesAWellTypedBody) {
  EXPECT_EQ(verdict(body_of({0x20, 0, 0x41, 1, 0x6a})), "valid");  // local.get 0, 1, i32.add
}

TEST(Validate, ReportsFunctionAndByteOfATypeMismatch) {
  // i64.const 1, i32.add with one operand too few
  EXPECT_EQ(verdict(body_of({0x42, 1, 0x41, 1, 0x6a})),
            "invalid: function 0: type mismatch (at byte 0x23)");
}

TEST(Validate, KnowsAlignmentLocalsAndLabels) {
  EXPECT_EQ(verdict(body_of({0x41, 0, 0x28, 3, 0})),
            "invalid: function 0: alignment must not be larger than natural (at byte 0x21)");
  EXPECT_EQ(verdict(body_of({0x20, 1})), "invalid: function 0: unknown local 1 (at byte 0x1f)");
  EXPECT_EQ(verdict(body_of({0x0c, 7})), "invalid: function 0: unknown label 7 (at byte 0x1f)");
}

TEST(Validate, ASharedMemoryNeedsAMaximum) {
  EXPECT_EQ(verdict(bytes_of({5, 3, 1, 2, 1})), "invalid: shared memory must have maximum");
  EXPECT_EQ(verdict(bytes_of({5, 4, 1, 3, 1, 2})), "valid");
}

TEST(Validate, AnAtomicAccessIsOfExactlyItsNaturalAlignment) {
  // i32.const 0, i32.atomic.load
  EXPECT_EQ(verdict(body_of({0x41, 0, 0xfe, 0x10, 2, 0})), "valid");
  EXPECT_EQ(verdict(body_of({0x41, 0, 0xfe, 0x10, 1, 0})),
            "invalid: function 0: alignment must be equal to natural (at byte 0x21)");
  EXPECT_EQ(verdict(body_of({0x41, 0, 0xfe, 0x10, 3, 0})),
            "invalid: function 0: alignment must not be larger than natural (at byte 0x21)");
}

TEST(Validate, ThreadsThatAreSwitchedOffAreRefusedByName) {
  const auto refusal = [](const std::vector<std::byte>& bytes) {
    const auto module = binary::decode(bytes).value();
    return validation::validate(module, {.threads = false}).error().message();
  };
  EXPECT_EQ(refusal(bytes_of({5, 4, 1, 3, 1, 2})),
            "unsupported: shared memory: threads are switched off");
  EXPECT_EQ(refusal(body_of({0x41, 0, 0xfe, 0x10, 2, 0})),
            "unsupported: function 0: i32.atomic.load: threads are switched off (at byte 0x21)");
  EXPECT_EQ(refusal(body_of({0xfe, 3, 0})),
            "unsupported: function 0: atomic.fence: threads are switched off (at byte 0x1f)");
}

TEST(Validate, CodeBehindABranchMayHaveAnyOperands) {
  EXPECT_EQ(verdict(body_of({0x41, 1, 0x0f, 0x6a})), "valid");  // return, i32.add
}

TEST(Validate, BodyMustEndWhereItsSizeSays) {
  EXPECT_EQ(verdict(body_of({0x41, 1, 0x0b})),
            "malformed: function 0: operators remaining after end of body (at byte 0x22)");
}

// A body of type [] -> [] in a module whose type 1 is [] -> [1,000 x i32].
struct WideBody {
  explicit WideBody(std::vector<std::byte> instructions) : bytes(std::move(instructions)) {
    bytes.insert(bytes.begin(), std::byte{0});  // no locals
    bytes.push_back(std::byte{0x0b});
    module.types = {{{}, {}}, {{}, std::vector(1'000, ValType::I32)}};
    module.bytes = bytes;
    module.functions = {{0, 0, static_cast<std::uint32_t>(bytes.size())}, {1, 0, 0}};
  }
  std::vector<std::byte> bytes;
  Module module;
};

std::vector<std::byte> repeated(std::initializer_list<int> instructions, std::size_t times) {
  std::vector<std::byte> out;
  for (std::size_t i = 0; i < times; ++i) {
    for (const int value : instructions) out.push_back(std::byte(value));
  }
  return out;
}

TEST(Validate, OperandsOfWideTypesAreCountedAndLimited) {
  auto calls = repeated({0x10, 1}, 500);  // call 1
  calls.push_back(std::byte{0x00});       // unreachable
  const WideBody body(calls);
  std::uint64_t budget = 1'000'000;
  ASSERT_TRUE(validation::validate_function(body.module, 0, {}, budget));
  EXPECT_EQ(budget, 500'000U);
  // What is left serves the next body, which needs one operand more.
  budget = 499'999;
  const auto refused = validation::validate_function(body.module, 0, {}, budget);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(),
            "limit exceeded: function 0: too many operands in types of branches and calls (at byte "
            "0x3e7)");
  EXPECT_EQ(budget, 0U);
}

TEST(Validate, ALongTableOfOneWideTypeIsLookedAtOnce) {
  // block (type 1), call 1, i32.const 0, br_table of 10,000 labels and the default, end,
  // unreachable
  auto instructions = repeated({0x02, 1, 0x10, 1, 0x41, 0, 0x0e, 0x90, 0x4e}, 1);
  const auto labels = repeated({0}, 10'001);
  instructions.insert(instructions.end(), labels.begin(), labels.end());
  for (const int value : {0x0b, 0x00}) instructions.push_back(std::byte(value));
  const WideBody body(instructions);
  std::uint64_t budget = kTypedOperandsBase;
  const auto valid = validation::validate_function(body.module, 0, {}, budget);
  ASSERT_TRUE(valid) << valid.error().message();
  // The call's results, the table's check and its pop, the block's results off and on the stack.
  EXPECT_EQ(kTypedOperandsBase - budget, 5'000U);
}

TEST(Validate, AWholeModuleMayLookAtAFewOperandsForEachByte) {
  auto instructions = repeated({0x02, 1, 0x00, 0x0b, 0x00}, 1'000);  // block (type 1) unreachable
  const WideBody body(instructions);
  const auto refused = validation::validate(body.module);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::LimitExceeded);
}

}  // namespace
}  // namespace engine
