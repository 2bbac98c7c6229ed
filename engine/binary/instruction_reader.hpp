// Reads a function's body one instruction at a time (core spec 5.4): the common front of the
// validator and of the compiler. It checks the format, not the types.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/binary/reader.hpp"
#include "engine/structure/instruction.hpp"
#include "engine/structure/module.hpp"

namespace engine::binary {

struct LocalGroup {
  std::uint32_t count = 0;
  ValType type = ValType::I32;
};

class InstructionReader {
 public:
  /// A body: locals first, then instructions up to the `end` that closes the function.
  InstructionReader(std::span<const std::byte> module, const Function& function)
      : reader_(module, function.body_offset, function.body_offset + function.body_size) {}
  /// An expression elsewhere in the module.
  explicit InstructionReader(Reader reader) : reader_(reader) {}

  /// The declared locals, parameters not among them; at most kMaxLocals in all. Call once, first.
  Result<std::vector<LocalGroup>> read_locals();
  /// The next instruction; spans in it live until the next call.
  Result<Instruction> next();

  bool at_end() const { return reader_.at_end(); }
  std::uint64_t offset() const { return reader_.offset(); }
  const Reader& reader() const { return reader_; }

 private:
  Result<void> read_immediate(Immediate kind, Instruction& out);
  Result<void> read_block_type(Instruction& out);
  Result<void> read_memarg(Instruction& out);
  Result<void> read_label_table(Instruction& out);
  Result<void> read_select_types(Instruction& out);
  Result<void> read_sixteen_bytes(Instruction& out);
  Result<void> read_two_indices(std::uint32_t& first, std::uint32_t& second);

  Reader reader_;
  std::vector<std::uint32_t> labels_;
  std::vector<ValType> types_;
};

}  // namespace engine::binary
