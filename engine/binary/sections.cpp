// Types, imports, functions, tables, memories, globals, exports, start (core spec 5.5.4 to 5.5.11).
#include "engine/binary/module_decoder.hpp"
#include "engine/structure/limits.hpp"

namespace engine::binary {
namespace {

Result<std::vector<ValType>> read_value_types(Reader& reader, std::uint32_t limit,
                                              std::string_view what) {
  const std::uint32_t count = TRY(reader.count(limit, what));
  std::vector<ValType> out;
  out.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) out.push_back(TRY(reader.value_type()));
  return out;
}

// Flags of limits: bit 0 a maximum follows; bit 1, of memories only, shared.
constexpr std::uint8_t kHasMaximum = 1;
constexpr std::uint8_t kShared = 2;

Result<Limits> read_limits(Reader& reader, std::uint8_t flags, std::uint8_t known_flags) {
  if ((flags & ~known_flags) != 0) return reader.malformed("malformed limits flags");
  Limits out;
  out.min = TRY(reader.u32());
  if ((flags & kHasMaximum) != 0) out.max = TRY(reader.u32());
  return out;
}

Result<ExternKind> read_kind(Reader& reader, std::string_view what) {
  const std::uint8_t kind = TRY(reader.u8());
  if (kind > 3) return reader.malformed("malformed " + std::string(what) + " kind");
  return static_cast<ExternKind>(kind);
}

Result<void> read_import(Reader& reader, Module& out) {
  Import item;
  item.module = TRY(reader.name());
  item.name = TRY(reader.name());
  item.kind = TRY(read_kind(reader, "import"));
  switch (item.kind) {
    case ExternKind::Func:
      item.index = out.imported_functions++;
      out.functions.push_back({TRY(reader.u32()), 0, 0});
      break;
    case ExternKind::Table:
      item.index = out.imported_tables++;
      out.tables.push_back(TRY(read_table_type(reader)));
      break;
    case ExternKind::Memory:
      item.index = out.imported_memories++;
      out.memories.push_back(TRY(read_memory_type(reader)));
      break;
    case ExternKind::Global:
      item.index = out.imported_globals++;
      out.globals.push_back({TRY(read_global_type(reader)), {}});
      break;
  }
  out.imports.push_back(std::move(item));
  return {};
}

}  // namespace

Result<TableType> read_table_type(Reader& reader) {
  TableType out;
  out.element = TRY(reader.reference_type());
  const std::uint8_t flags = TRY(reader.u8());
  out.limits = TRY(read_limits(reader, flags, kHasMaximum));
  return out;
}

Result<MemoryType> read_memory_type(Reader& reader) {
  MemoryType out;
  const std::uint8_t flags = TRY(reader.u8());
  out.limits = TRY(read_limits(reader, flags, kHasMaximum | kShared));
  out.is_shared = (flags & kShared) != 0;
  return out;
}

Result<GlobalType> read_global_type(Reader& reader) {
  GlobalType out;
  out.type = TRY(reader.value_type());
  const std::uint8_t mutability = TRY(reader.u8());
  if (mutability > 1) return reader.malformed("malformed mutability");
  out.is_mutable = mutability == 1;
  return out;
}

Result<void> read_types(Reader& reader, Module& out) {
  const std::uint32_t count = TRY(reader.count(kMaxTypes, "types", 3));
  out.types.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (TRY(reader.u8()) != 0x60) return reader.malformed("malformed function type");
    FuncType type;
    type.params = TRY(read_value_types(reader, kMaxParams, "parameters"));
    type.results = TRY(read_value_types(reader, kMaxFunctionResults, "results"));
    out.types.push_back(std::move(type));
  }
  return {};
}

Result<void> read_imports(Reader& reader, Module& out) {
  const std::uint32_t count = TRY(reader.count(kMaxImports, "imports", 4));
  for (std::uint32_t i = 0; i < count; ++i) TRY(read_import(reader, out));
  return {};
}

Result<void> read_functions(Reader& reader, Module& out) {
  const std::uint32_t count = TRY(reader.count(kMaxFunctions, "functions"));
  out.functions.reserve(out.functions.size() + count);
  for (std::uint32_t i = 0; i < count; ++i) out.functions.push_back({TRY(reader.u32()), 0, 0});
  return {};
}

Result<void> read_tables(Reader& reader, Module& out) {
  const std::uint32_t count = TRY(reader.count(kMaxTables, "tables", 3));
  for (std::uint32_t i = 0; i < count; ++i) out.tables.push_back(TRY(read_table_type(reader)));
  return {};
}

Result<void> read_memories(Reader& reader, Module& out) {
  const std::uint32_t count = TRY(reader.count(kMaxMemories, "memories", 2));
  for (std::uint32_t i = 0; i < count; ++i) out.memories.push_back(TRY(read_memory_type(reader)));
  return {};
}

Result<void> read_globals(Reader& reader, Module& out) {
  const std::uint32_t count = TRY(reader.count(kMaxGlobals, "globals", 3));
  out.globals.reserve(out.globals.size() + count);
  for (std::uint32_t i = 0; i < count; ++i) {
    Global global;
    global.type = TRY(read_global_type(reader));
    global.init = TRY(read_const_expr(reader));
    out.globals.push_back(std::move(global));
  }
  return {};
}

Result<void> read_exports(Reader& reader, Module& out) {
  const std::uint32_t count = TRY(reader.count(kMaxExports, "exports", 3));
  out.exports.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    Export item;
    item.name = TRY(reader.name());
    item.kind = TRY(read_kind(reader, "export"));
    item.index = TRY(reader.u32());
    out.exports.push_back(std::move(item));
  }
  return {};
}

Result<void> read_start(Reader& reader, Module& out) {
  out.start = TRY(reader.u32());
  return {};
}

}  // namespace engine::binary
