#include "engine/binary/instruction_reader.hpp"

#include <cstring>

#include "engine/structure/limits.hpp"

namespace engine::binary {
namespace {

constexpr std::uint8_t kNumericPrefix = 0xfc;
constexpr std::uint8_t kVectorPrefix = 0xfd;
constexpr std::uint8_t kAtomicPrefix = 0xfe;
// Bit 6 of a memarg's flags: a memory index follows (multi-memory).
constexpr std::uint32_t kHasMemoryIndex = 0x40;

}  // namespace

Result<std::vector<LocalGroup>> InstructionReader::read_locals() {
  const std::uint32_t groups = TRY(reader_.count(kMaxBodySize, "groups of locals", 2));
  std::vector<LocalGroup> out;
  out.reserve(groups);
  std::uint64_t total = 0;
  for (std::uint32_t i = 0; i < groups; ++i) {
    const std::uint32_t count = TRY(reader_.u32());
    total += count;
    if (total > 0xffffffff) return reader_.malformed("too many locals");
    out.push_back({count, TRY(reader_.value_type())});
  }
  if (total > kMaxLocals) {
    return fail_at(ErrorKind::LimitExceeded, reader_.offset(),
                   std::to_string(total) + " locals, the limit is " + std::to_string(kMaxLocals));
  }
  return out;
}

Result<Instruction> InstructionReader::next() {
  Instruction out;
  out.offset = reader_.offset();
  std::uint8_t prefix = 0;
  std::uint32_t code = TRY(reader_.u8());
  if (code == kNumericPrefix || code == kVectorPrefix || code == kAtomicPrefix) {
    prefix = static_cast<std::uint8_t>(code);
    code = TRY(reader_.u32());
  }
  const std::optional<Opcode> opcode = find_opcode(prefix, code);
  if (!opcode) {
    return fail_at(ErrorKind::Malformed, out.offset,
                   "illegal opcode " + std::to_string(code) +
                       (prefix == 0 ? "" : " behind prefix " + std::to_string(prefix)));
  }
  out.opcode = *opcode;
  TRY(read_immediate(info(*opcode).immediate, out));
  return out;
}

Result<void> InstructionReader::read_immediate(Immediate kind, Instruction& out) {
  switch (kind) {
    case Immediate::None:
      return {};
    case Immediate::Block:
      return read_block_type(out);
    case Immediate::Label:
    case Immediate::Function:
    case Immediate::Local:
    case Immediate::Global:
    case Immediate::Table:
    case Immediate::Element:
    case Immediate::Data:
    case Immediate::Memory:
      out.index = TRY(reader_.u32());
      return {};
    case Immediate::LabelTable:
      return read_label_table(out);
    case Immediate::CallIndirect:
    case Immediate::TablePair:
    case Immediate::ElementTable:
    case Immediate::DataMemory:
    case Immediate::MemoryPair:
      return read_two_indices(out.index, out.index2);
    case Immediate::MemArg:
    case Immediate::AtomicMemArg:
      return read_memarg(out);
    case Immediate::MemArgLane:
      TRY(read_memarg(out));
      out.lane = TRY(reader_.u8());
      return {};
    case Immediate::Reserved:
      if (TRY(reader_.u8()) != 0) return reader_.malformed("zero byte expected");
      return {};
    case Immediate::Lane:
      out.lane = TRY(reader_.u8());
      return {};
    case Immediate::Shuffle:
    case Immediate::V128:
      return read_sixteen_bytes(out);
    case Immediate::I32:
      out.constant = static_cast<std::uint64_t>(std::int64_t{TRY(reader_.s32())});
      return {};
    case Immediate::I64:
      out.constant = static_cast<std::uint64_t>(TRY(reader_.s64()));
      return {};
    case Immediate::F32:
      out.constant = TRY(reader_.fixed_u32());
      return {};
    case Immediate::F64:
      out.constant = TRY(reader_.fixed_u64());
      return {};
    case Immediate::RefType:
      out.ref_type = TRY(reader_.reference_type());
      return {};
    case Immediate::SelectTypes:
      return read_select_types(out);
  }
  return reader_.malformed("illegal opcode");
}

Result<void> InstructionReader::read_block_type(Instruction& out) {
  const std::uint8_t first = reader_.peek();
  if (first == 0x40) {
    TRY(reader_.take(1));
    out.block = {};
    return {};
  }
  // One byte with bit 6 set is a negative s33: a value type. Otherwise a type index.
  if ((first & 0xc0) == 0x40) {
    out.block = {BlockType::Kind::Value, TRY(reader_.value_type()), 0};
    return {};
  }
  const std::int64_t index = TRY(reader_.s33());
  if (index < 0) return reader_.malformed("malformed block type");
  out.block = {BlockType::Kind::Index, ValType::I32, static_cast<std::uint32_t>(index)};
  return {};
}

Result<void> InstructionReader::read_memarg(Instruction& out) {
  std::uint32_t flags = TRY(reader_.u32());
  out.memarg.memory = 0;
  if ((flags & kHasMemoryIndex) != 0) {
    flags &= ~kHasMemoryIndex;
    out.memarg.memory = TRY(reader_.u32());
  }
  if (flags >= kHasMemoryIndex) return reader_.malformed("malformed memop flags");
  out.memarg.align_log2 = flags;
  out.memarg.offset = TRY(reader_.u32());
  return {};
}

Result<void> InstructionReader::read_label_table(Instruction& out) {
  const std::uint32_t count = TRY(reader_.count(kMaxLabels, "labels in a br_table"));
  labels_.clear();
  labels_.reserve(count + 1);
  for (std::uint32_t i = 0; i <= count; ++i) labels_.push_back(TRY(reader_.u32()));
  out.labels = labels_;
  return {};
}

Result<void> InstructionReader::read_select_types(Instruction& out) {
  const std::uint32_t count = TRY(reader_.count(kMaxParams, "types of a select"));
  types_.clear();
  for (std::uint32_t i = 0; i < count; ++i) types_.push_back(TRY(reader_.value_type()));
  out.select_types = types_;
  return {};
}

Result<void> InstructionReader::read_sixteen_bytes(Instruction& out) {
  const auto bytes = TRY(reader_.take(out.v128.size()));
  std::memcpy(out.v128.data(), bytes.data(), out.v128.size());
  return {};
}

Result<void> InstructionReader::read_two_indices(std::uint32_t& first, std::uint32_t& second) {
  first = TRY(reader_.u32());
  second = TRY(reader_.u32());
  return {};
}

}  // namespace engine::binary
