// See line_table.hpp.
#include "engine/compiler/line_table.hpp"

#include <cstring>
#include <string>

namespace engine::compiler {
namespace {

enum StandardOpcode : std::uint8_t {
  kCopy = 1,
  kAdvancePc = 2,
  kAdvanceLine = 3,
  kSetFile = 4,
  kSetColumn = 5,
  kNegateStatement = 6,
  kSetBasicBlock = 7,
  kConstAddPc = 8,
  kFixedAdvancePc = 9,
  kSetPrologueEnd = 10,
  kSetEpilogueBegin = 11,
  kSetIsa = 12,
};
enum ExtendedOpcode : std::uint8_t { kEndSequence = 1, kSetAddress = 2 };

/// Reads past the end yield zeros and set `failed`.
struct Cursor {
  std::span<const std::byte> bytes;
  std::size_t at = 0;
  bool failed = false;

  template <typename T>
  T fixed() {
    T out{};
    if (failed || bytes.size() - at < sizeof(T)) {
      failed = true;
      return out;
    }
    std::memcpy(&out, bytes.data() + at, sizeof(T));
    at += sizeof(T);
    return out;
  }
  std::uint64_t leb(bool is_signed) {
    std::uint64_t out = 0;
    unsigned shift = 0;
    std::uint8_t byte = 0;
    do {
      byte = fixed<std::uint8_t>();
      if (shift < 64) out |= std::uint64_t{byte & 0x7fU} << shift;
      shift += 7;
    } while (!failed && (byte & 0x80U));
    if (is_signed && shift < 64 && (byte & 0x40U)) out |= ~std::uint64_t{0} << shift;
    return out;
  }
  void skip_to(std::size_t place) {
    if (place < at || place > bytes.size()) failed = true;
    if (!failed) at = place;
  }
};

struct Header {
  std::uint8_t minimum_length = 1;
  std::int8_t line_base = 0;
  std::uint8_t line_range = 1;
  std::uint8_t opcode_base = 0;
  std::vector<std::uint8_t> operand_counts;
};

class Program {
 public:
  Program(Cursor& cursor, std::size_t end, Header header, std::vector<LineRow>& rows)
      : cursor_(cursor), end_(end), header_(std::move(header)), rows_(rows) {}

  void run() {
    while (!cursor_.failed && cursor_.at < end_) step();
  }

 private:
  void step() {
    const auto opcode = cursor_.fixed<std::uint8_t>();
    if (opcode >= header_.opcode_base) {
      special(static_cast<std::uint8_t>(opcode - header_.opcode_base));
    } else if (opcode == 0) {
      extended();
    } else {
      standard(opcode);
    }
  }

  void advance(std::uint64_t operation) { row_.address += operation * header_.minimum_length; }

  void special(std::uint8_t adjusted) {
    advance(adjusted / header_.line_range);
    line_ += static_cast<std::uint64_t>(header_.line_base + adjusted % header_.line_range);
    emit();
  }

  void emit() {
    row_.line = static_cast<std::uint32_t>(line_);
    rows_.push_back(row_);
  }

  void extended() {
    const std::uint64_t length = cursor_.leb(false);
    const std::size_t start = cursor_.at;
    if (length > cursor_.bytes.size() - start || length == 0) {
      cursor_.failed = true;
      return;
    }
    const auto opcode = cursor_.fixed<std::uint8_t>();
    if (opcode == kEndSequence) {
      row_.ends_sequence = true;
      emit();
      row_ = {};
      line_ = 1;
    } else if (opcode == kSetAddress) {
      row_.sequence = cursor_.at;
      row_.address = 0;
    }
    cursor_.skip_to(start + length);
  }

  void standard(std::uint8_t opcode) {
    switch (opcode) {
      case kCopy:
        emit();
        return;
      case kAdvancePc:
        advance(cursor_.leb(false));
        return;
      case kAdvanceLine:
        line_ += cursor_.leb(true);
        return;
      case kConstAddPc:
        advance((255U - header_.opcode_base) / header_.line_range);
        return;
      case kFixedAdvancePc:
        row_.address += cursor_.fixed<std::uint16_t>();
        return;
      default:
        for (std::uint8_t i = 0; i < header_.operand_counts[opcode - 1U]; ++i) cursor_.leb(false);
    }
  }

  Cursor& cursor_;
  std::size_t end_;
  Header header_;
  std::vector<LineRow>& rows_;
  LineRow row_;
  std::uint64_t line_ = 1;  // negative steps wrap
};

std::unexpected<Error> broken() {
  return fail(ErrorKind::System, "internal: object: malformed .debug_line");
}

}  // namespace

Result<std::vector<LineRow>> read_line_table(std::span<const std::byte> debug_line) {
  std::vector<LineRow> rows;
  Cursor cursor{.bytes = debug_line};
  while (cursor.at < debug_line.size()) {
    const auto length = cursor.fixed<std::uint32_t>();
    const std::size_t unit_end = cursor.at + length;
    const auto version = cursor.fixed<std::uint16_t>();
    const auto header_length = cursor.fixed<std::uint32_t>();
    const std::size_t program = cursor.at + header_length;
    if (cursor.failed || version != 4 || unit_end > debug_line.size() || program > unit_end) {
      return broken();
    }
    Header header;
    header.minimum_length = cursor.fixed<std::uint8_t>();
    cursor.fixed<std::uint8_t>();  // maximum_operations_per_instruction
    cursor.fixed<std::uint8_t>();  // default_is_stmt
    header.line_base = cursor.fixed<std::int8_t>();
    header.line_range = cursor.fixed<std::uint8_t>();
    header.opcode_base = cursor.fixed<std::uint8_t>();
    if (cursor.failed || header.line_range == 0 || header.opcode_base == 0) return broken();
    for (unsigned i = 1; i < header.opcode_base; ++i) {
      header.operand_counts.push_back(cursor.fixed<std::uint8_t>());
    }
    cursor.skip_to(program);
    Program(cursor, unit_end, std::move(header), rows).run();
    if (cursor.failed || cursor.at != unit_end) return broken();
  }
  return rows;
}

}  // namespace engine::compiler
