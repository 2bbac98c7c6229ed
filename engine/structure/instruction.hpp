// One decoded instruction (core spec 2.4): what the reader of function bodies hands to the
// validator and to the compiler. The opcodes come from opcode.def, the only list of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/structure/opcode.hpp"
#include "engine/structure/types.hpp"

namespace engine {

/// A block's type: none, one result, or an index of the type section.
struct BlockType {
  enum class Kind : std::uint8_t { Empty, Value, Index } kind = Kind::Empty;
  ValType value = ValType::I32;
  std::uint32_t index = 0;
};

struct MemArg {
  std::uint32_t align_log2 = 0;
  std::uint32_t memory = 0;
  std::uint64_t offset = 0;
};

/// Only the fields of the opcode's immediate kind (opcode.def) are meaningful. Spans point into the
/// reader and live until the next instruction is read.
struct Instruction {
  Opcode opcode = Opcode::Unreachable;
  std::uint64_t offset = 0;  ///< of the opcode's first byte, in the module
  BlockType block;           ///< block, loop, if
  std::uint32_t index = 0;   ///< label, local, global, function, table, type, data, element,
                             ///< memory; the destination where there are two
  std::uint32_t index2 = 0;  ///< call_indirect: table; *.copy: source; *.init: table or memory
  MemArg memarg;             ///< loads and stores
  std::uint8_t lane = 0;     ///< SIMD lanes
  ValType ref_type = ValType::FuncRef;    ///< ref.null
  std::uint64_t constant = 0;             ///< i32, i64 (sign extended) and the bits of f32, f64
  std::array<std::byte, 16> v128{};       ///< v128.const, i8x16.shuffle
  std::span<const std::uint32_t> labels;  ///< br_table: all targets, the default one last
  std::span<const ValType> select_types;  ///< select t*
};

}  // namespace engine
