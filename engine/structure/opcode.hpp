// The instruction set as data. opcode.def is the only list of instructions in the engine.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace engine {

enum class Opcode : std::uint16_t {
#define OPCODE(name, prefix, code, text, immediate, signature, access) name,
#include "engine/structure/opcode.def"
#undef OPCODE
};

/// What follows an opcode in the binary format (core spec 5.4).
enum class Immediate : std::uint8_t {
  None,
  Block,         ///< block type
  Label,         ///< label index
  LabelTable,    ///< vector of label indices and the default one
  Function,      ///< function index
  CallIndirect,  ///< type index, table index
  Local,
  Global,
  Table,
  TablePair,  ///< destination, source
  Element,
  ElementTable,  ///< element segment, table
  Data,
  DataMemory,  ///< data segment, memory
  Memory,
  MemoryPair,  ///< destination, source
  MemArg,
  MemArgLane,    ///< memarg, lane index
  AtomicMemArg,  ///< memarg whose alignment is the natural one
  Reserved,      ///< a zero byte
  Lane,
  Shuffle,  ///< 16 lane indices
  I32,
  I64,
  F32,
  F64,
  V128,
  RefType,
  SelectTypes,  ///< vector of value types
};

struct OpcodeInfo {
  std::string_view text;
  std::string_view signature;  ///< see opcode.def
  std::uint8_t prefix;
  std::uint16_t code;
  Immediate immediate;
  std::uint8_t access;  ///< bytes of memory read or written, a power of two; 0 for none
};

const OpcodeInfo& info(Opcode opcode);

/// The instruction with this encoding; `prefix` is 0 for one-byte opcodes.
std::optional<Opcode> find_opcode(std::uint8_t prefix, std::uint32_t code);

}  // namespace engine
