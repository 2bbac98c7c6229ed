// Element segments, code, data segments (core spec 5.5.12 to 5.5.15).
#include "engine/binary/module_decoder.hpp"
#include "engine/structure/limits.hpp"

namespace engine::binary {
namespace {

// Flags of an element segment: bit 0 not active; bit 1 an explicit table (active) or declarative;
// bit 2 expressions instead of function indices.
constexpr std::uint32_t kNotActive = 1;
constexpr std::uint32_t kExplicit = 2;
constexpr std::uint32_t kExpressions = 4;

Result<void> read_function_items(Reader& reader, ElementSegment& out) {
  const std::uint32_t count = TRY(reader.count(kMaxElements, "elements in a segment"));
  out.functions.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) out.functions.push_back(TRY(reader.u32()));
  return {};
}

ConstExpr expression_of(std::uint32_t function) {
  ConstInstruction item;
  item.opcode = function == kNullFunction ? Opcode::RefNull : Opcode::RefFunc;
  item.index = function == kNullFunction ? 0 : function;
  return {item};
}

/// A function index or kNullFunction where the expression is no more than that.
std::optional<std::uint32_t> plain_function(const ElementSegment& segment,
                                            const ConstExpr& expression) {
  if (segment.type != ValType::FuncRef || expression.size() != 1) return std::nullopt;
  const ConstInstruction& item = expression.front();
  if (item.opcode == Opcode::RefFunc && item.index != kNullFunction) return item.index;
  if (item.opcode == Opcode::RefNull && item.ref_type == ValType::FuncRef) return kNullFunction;
  return std::nullopt;
}

Result<void> read_expression_items(Reader& reader, ElementSegment& out) {
  const std::uint32_t count = TRY(reader.count(kMaxElements, "elements in a segment", 2));
  for (std::uint32_t i = 0; i < count; ++i) {
    ConstExpr expression = TRY(read_const_expr(reader));
    const auto function = plain_function(out, expression);
    if (function && out.expressions.empty()) {
      out.functions.push_back(*function);
      continue;
    }
    for (const std::uint32_t earlier : out.functions) {
      out.expressions.push_back(expression_of(earlier));
    }
    out.functions.clear();
    out.expressions.push_back(std::move(expression));
  }
  return {};
}

Result<ElementSegment> read_element_segment(Reader& reader) {
  const std::uint32_t flags = TRY(reader.u32());
  if (flags > (kNotActive | kExplicit | kExpressions)) {
    return reader.malformed("malformed elements segment kind");
  }
  ElementSegment out;
  const bool is_explicit = (flags & kExplicit) != 0;
  if ((flags & kNotActive) != 0) {
    out.mode = is_explicit ? SegmentMode::Declarative : SegmentMode::Passive;
  } else {
    if (is_explicit) out.table = TRY(reader.u32());
    out.offset = TRY(read_const_expr(reader));
  }
  const bool names_type = (flags & (kNotActive | kExplicit)) != 0;
  if ((flags & kExpressions) != 0) {
    if (names_type) out.type = TRY(reader.reference_type());
    TRY(read_expression_items(reader, out));
    return out;
  }
  if (names_type && TRY(reader.u8()) != 0) return reader.malformed("malformed element kind");
  TRY(read_function_items(reader, out));
  return out;
}

Result<DataSegment> read_data_segment(Reader& reader) {
  const std::uint32_t flags = TRY(reader.u32());
  if (flags > 2) return reader.malformed("malformed data segment kind");
  DataSegment out;
  out.mode = flags == 1 ? SegmentMode::Passive : SegmentMode::Active;
  if (flags == 2) out.memory = TRY(reader.u32());
  if (flags != 1) out.offset = TRY(read_const_expr(reader));
  out.data_size = TRY(reader.u32());
  out.data_offset = reader.offset();
  TRY(reader.take(out.data_size));
  return out;
}

}  // namespace

Result<void> read_elements(Reader& reader, Module& out) {
  const std::uint32_t count = TRY(reader.count(kMaxElementSegments, "element segments", 2));
  for (std::uint32_t i = 0; i < count; ++i) {
    out.elements.push_back(TRY(read_element_segment(reader)));
  }
  return {};
}

Result<void> read_data_count(Reader& reader, Module& out) {
  out.data_count = TRY(reader.u32());
  return {};
}

Result<void> read_code(Reader& reader, Module& out) {
  const std::uint32_t count = TRY(reader.count(kMaxFunctions, "function bodies", 2));
  if (count != out.functions.size() - out.imported_functions) {
    return reader.malformed("function and code section have inconsistent lengths");
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    Function& function = out.functions[out.imported_functions + i];
    const std::uint32_t size = TRY(reader.u32());
    if (size > reader.remaining()) return reader.malformed("unexpected end");
    if (size == 0) return reader.malformed("unexpected end of section or function");
    if (size > kMaxBodySize) {
      return fail_at(ErrorKind::LimitExceeded, reader.offset(),
                     "function body of " + std::to_string(size) + " bytes, the limit is " +
                         std::to_string(kMaxBodySize));
    }
    function.body_offset = reader.offset();
    function.body_size = size;
    TRY(reader.take(size));
  }
  return {};
}

Result<void> read_data(Reader& reader, Module& out) {
  const std::uint32_t count = TRY(reader.count(kMaxDataSegments, "data segments", 2));
  out.data.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) out.data.push_back(TRY(read_data_segment(reader)));
  return {};
}

}  // namespace engine::binary
