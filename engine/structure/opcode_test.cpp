#include "engine/structure/opcode.hpp"

#include <gtest/gtest.h>

namespace engine {
namespace {

TEST(Opcode, EveryRowIsFoundByItsEncoding) {
  int rows = 0;
#define OPCODE(name, prefix, code, text, immediate, signature, access) \
  EXPECT_EQ(find_opcode(prefix, code), Opcode::name) << text;          \
  ++rows;
#include "engine/structure/opcode.def"
#undef OPCODE
  // 183 instructions of one byte, 18 behind 0xfc, 236 of SIMD, 67 atomic ones, and the two tail
  // calls.
  EXPECT_EQ(rows, 183 + 18 + 236 + 67 + 2);
}

TEST(Opcode, NumbersOutsideTheTableAreNoInstructions) {
  EXPECT_EQ(find_opcode(0, 0x06), std::nullopt);
  EXPECT_EQ(find_opcode(0xfc, 18), std::nullopt);
  EXPECT_EQ(find_opcode(0xfd, 154), std::nullopt);
  EXPECT_EQ(find_opcode(0xfe, 0x04), std::nullopt);
  EXPECT_EQ(find_opcode(0xfd, 100'000), std::nullopt);
}

}  // namespace
}  // namespace engine
