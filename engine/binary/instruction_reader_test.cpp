#include "engine/binary/instruction_reader.hpp"

#include <gtest/gtest.h>

#include "engine/binary/module_bytes.hpp"

namespace engine::binary {
namespace {

InstructionReader over(const Bytes& bytes) {
  return InstructionReader(Reader(bytes, 0, bytes.size()));
}

template <typename T>
std::string text_of(const Result<T>& result) {
  return result ? "no error" : result.error().text;
}

TEST(InstructionReader, ReadsPrefixedCodesOfAnyPadding) {
  const Bytes bytes = bytes_of({0xfc, 0x8a, 0x80, 0x00, 1, 2});
  const auto copy = over(bytes).next();
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->opcode, Opcode::MemoryCopy);
  EXPECT_EQ(copy->index, 1U);
  EXPECT_EQ(copy->index2, 2U);
}

TEST(InstructionReader, RefusesCodesWithoutInstruction) {
  for (const auto& bytes : {bytes_of({0x06}), bytes_of({0xff}), bytes_of({0xfc, 18}),
                            bytes_of({0xfd, 0x9a, 0x01}), bytes_of({0xfd, 0x80, 0x02})}) {
    EXPECT_EQ(text_of(over(bytes).next()).substr(0, 14), "illegal opcode");
  }
}

TEST(InstructionReader, RefusesAPrefixWithNothingBehindIt) {
  const Bytes bytes = bytes_of({0xfd});
  EXPECT_EQ(text_of(over(bytes).next()), "unexpected end");
}

TEST(InstructionReader, ReadsTheThreeKindsOfBlockTypes) {
  const Bytes empty = bytes_of({0x02, 0x40});
  EXPECT_EQ(over(empty).next()->block.kind, BlockType::Kind::Empty);
  const Bytes value = bytes_of({0x02, 0x6f});
  EXPECT_EQ(over(value).next()->block.value, ValType::ExternRef);
  const Bytes index = bytes_of({0x02, 0xc0, 0x00});  // 64: one byte would be negative
  EXPECT_EQ(over(index).next()->block.kind, BlockType::Kind::Index);
  EXPECT_EQ(over(index).next()->block.index, 64U);
}

TEST(InstructionReader, RefusesNegativeBlockTypesThatAreNoValueTypes) {
  const Bytes one_byte = bytes_of({0x02, 0x41});
  EXPECT_EQ(text_of(over(one_byte).next()), "malformed value type");
  const Bytes padded = bytes_of({0x02, 0xc0, 0x7f});
  EXPECT_EQ(text_of(over(padded).next()), "malformed block type");
}

TEST(InstructionReader, ReadsAMemoryIndexWhereBitSixOfTheFlagsIsSet) {
  const Bytes bytes = bytes_of({0x28, 0x42, 5, 0x10});
  const auto load = over(bytes).next();
  ASSERT_TRUE(load);
  EXPECT_EQ(load->memarg.align_log2, 2U);
  EXPECT_EQ(load->memarg.memory, 5U);
  EXPECT_EQ(load->memarg.offset, 16U);
}

TEST(InstructionReader, RefusesOtherHighFlagsOfAMemarg) {
  const Bytes bytes = bytes_of({0x28, 0x80, 0x01, 0});
  EXPECT_EQ(text_of(over(bytes).next()), "malformed memop flags");
}

TEST(InstructionReader, ReadsBranchTablesWithTheDefaultLabelLast) {
  const Bytes bytes = bytes_of({0x0e, 2, 7, 8, 9});
  InstructionReader reader = over(bytes);
  const auto table = reader.next();
  ASSERT_TRUE(table);
  EXPECT_EQ(std::vector(table->labels.begin(), table->labels.end()),
            (std::vector<std::uint32_t>{7, 8, 9}));
}

TEST(InstructionReader, RefusesBranchTablesLongerThanTheBody) {
  const Bytes bytes = bytes_of({0x0e, 0xff, 0xff, 3, 0});
  EXPECT_EQ(text_of(over(bytes).next()), "unexpected end");
  const Bytes no_default = bytes_of({0x0e, 1, 0});
  EXPECT_EQ(text_of(over(no_default).next()), "unexpected end");
}

TEST(InstructionReader, KeepsTheBitsOfFloats) {
  const Bytes bytes = bytes_of({0x43, 1, 0, 0xa0, 0x7f});  // a signalling NaN
  EXPECT_EQ(over(bytes).next()->constant, 0x7fa00001U);
}

TEST(InstructionReader, ExtendsTheSignOfI32Constants) {
  const Bytes bytes = bytes_of({0x41, 0x7f});
  EXPECT_EQ(over(bytes).next()->constant, 0xffffffffffffffffU);
}

TEST(InstructionReader, RefusesVectorConstantsThatAreCutOff) {
  const Bytes bytes = bytes_of({0xfd, 12, 1, 2, 3});
  EXPECT_EQ(text_of(over(bytes).next()), "unexpected end");
}

TEST(InstructionReader, RefusesNullOfANumericType) {
  const Bytes bytes = bytes_of({0xd0, 0x7f});
  EXPECT_EQ(text_of(over(bytes).next()), "malformed reference type");
}

TEST(InstructionReader, CountsLocalsBeforeMakingRoomForThem) {
  const Bytes most = bytes_of({1, 0xd0, 0x86, 0x03, 0x7f});  // 50,000
  EXPECT_EQ(over(most).read_locals()->front().count, 50'000U);
  const Bytes more = bytes_of({1, 0xd1, 0x86, 0x03, 0x7f});
  const auto refused = over(more).read_locals();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::LimitExceeded);
}

TEST(InstructionReader, RefusesLocalsThatOverflowTheirIndices) {
  const Bytes bytes =
      bytes_of({2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f, 1, 0x7e});  // 2^32-1 and one more
  EXPECT_EQ(text_of(over(bytes).read_locals()), "too many locals");
}

}  // namespace
}  // namespace engine::binary
