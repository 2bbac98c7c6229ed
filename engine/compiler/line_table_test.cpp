// Line number programs by hand: well formed, torn, and with every byte changed.
#include "engine/compiler/line_table.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

namespace engine::compiler {
namespace {

/// A unit of version 4 around the program: line_base -1, line_range 4, opcode_base 10.
std::vector<std::byte> unit(std::initializer_list<int> program) {
  const std::initializer_list<int> header = {1, 1, 1, 0xff, 4, 10, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0};
  std::vector<std::byte> out;
  const auto word = [&](std::size_t value) {
    for (unsigned shift = 0; shift < 32; shift += 8) out.push_back(std::byte(value >> shift));
  };
  word(6 + header.size() + program.size());
  for (const int value : {4, 0}) out.push_back(std::byte(value));
  word(header.size());
  for (const int value : header) out.push_back(std::byte(value));
  for (const int value : program) out.push_back(std::byte(value));
  return out;
}

constexpr std::initializer_list<int> kProgram = {0,    9,    2,    0, 0, 0,
                                                 0,    0,    0,    0, 0,  // set_address
                                                 3,    0xe8, 0x07, 1,     // advance_line 1000, copy
                                                 0x13,  // special: address + 2, line + 0
                                                 5,    7,    2,    3,  // set_column, advance_pc 3
                                                 0,    1,    1};       // end_sequence

TEST(LineTable, RowsFollowTheProgram) {
  const auto rows = read_line_table(unit(kProgram));
  ASSERT_TRUE(rows) << rows.error().message();
  ASSERT_EQ(rows->size(), 3U);
  EXPECT_EQ((*rows)[0].sequence, 29U);  // where the address is, for its relocation
  EXPECT_EQ((*rows)[0].line, 1001U);
  EXPECT_EQ((*rows)[1].address, 2U);
  EXPECT_EQ((*rows)[1].line, 1001U);
  EXPECT_EQ((*rows)[2].address, 5U);
  EXPECT_TRUE((*rows)[2].ends_sequence);
}

TEST(LineTable, IsRefusedWhenTornAnywhere) {
  const auto whole = unit(kProgram);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const std::vector<std::byte> torn(whole.begin(),
                                      whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(read_line_table(torn)) << "torn at " << size;
  }
}

TEST(LineTable, EveryChangedByteGivesRowsOrAnError) {
  auto bytes = unit(kProgram);
  for (std::byte& byte : bytes) {
    const std::byte before = byte;
    for (int value = 0; value < 256; ++value) {
      byte = static_cast<std::byte>(value);
      const auto rows = read_line_table(bytes);
      // A row takes at least one byte.
      EXPECT_TRUE(!rows || rows->size() <= bytes.size());
    }
    byte = before;
  }
}

TEST(LineTable, ALineNumberWrapsInsteadOfOverflowing) {
  // advance_line by 2^63 - 1, twice, then copy: 1 + 2^64 - 2
  const auto rows =
      read_line_table(unit({3,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 3,
                            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,    1}));
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->at(0).line, 0xffffffffU);
}

TEST(LineTable, AHeaderWithoutARangeOrOpcodesIsRefused) {
  for (const std::size_t at : {std::size_t{14}, std::size_t{15}}) {  // line_range, opcode_base
    auto bytes = unit(kProgram);
    bytes[at] = std::byte{0};
    EXPECT_FALSE(read_line_table(bytes));
  }
}

}  // namespace
}  // namespace engine::compiler
