// Reads the line number programs of a .debug_line section (DWARF 4, section 6.2): which byte of the
// module each piece of machine code came from. A line is an offset in the module.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/structure/error.hpp"

namespace engine::compiler {

struct LineRow {
  /// Offset in .debug_line of the address operand that began the sequence: a relocation there names
  /// the section that addresses refer to.
  std::uint64_t sequence = 0;
  std::uint64_t address = 0;  ///< relative to the relocated one
  std::uint32_t line = 0;     ///< 0: no origin
  bool ends_sequence = false;
};

Result<std::vector<LineRow>> read_line_table(std::span<const std::byte> debug_line);

}  // namespace engine::compiler
