// The checks that stand between a hostile or torn file and code that follows its offsets.
#include "engine/artifact/structure_check.hpp"

#include <algorithm>
#include <bit>
#include <string>

#include "engine/artifact/vm_layout.hpp"
#include "engine/structure/limits.hpp"
#include "engine/structure/module.hpp"

namespace engine::artifact {
namespace {

std::unexpected<base::Error> broken(std::string_view what) {
  return base::fail(base::ErrorKind::Invalid, "broken artifact: " + std::string(what));
}

bool inside(std::uint64_t first, std::uint64_t count, std::uint64_t size) {
  return first <= size && count <= size - first;
}
bool inside(Slice slice, std::uint64_t size) { return inside(slice.first, slice.count, size); }
bool inside(FlatCode code, std::uint64_t size) { return inside(code.offset, code.size, size); }

bool is_val_type(std::uint32_t type) {
  switch (static_cast<ValType>(type)) {
    case ValType::I32:
    case ValType::I64:
    case ValType::F32:
    case ValType::F64:
    case ValType::V128:
    case ValType::FuncRef:
    case ValType::ExternRef:
      return type <= 0xff;
  }
  return false;
}

bool is_page_multiple(std::uint64_t value) { return value % kPage == 0; }

/// The metadata with its arrays as spans; made only when all of them lie inside.
struct Tables {
  const MetadataHeader& head;
  std::span<const FlatType> types = {};
  std::span<const std::uint8_t> val_types = {};
  std::span<const FlatImport> imports = {};
  std::span<const FlatFunction> functions = {};
  std::span<const FlatTable> tables = {};
  std::span<const FlatMemory> memories = {};
  std::span<const FlatGlobal> globals = {};
  std::span<const FlatExport> exports = {};
  std::span<const FlatElement> elements = {};
  std::span<const std::uint32_t> item_slots = {};
  std::span<const Slice> item_expressions = {};
  std::span<const FlatData> data = {};
  std::span<const FlatConstant> constants = {};
  std::span<const std::uint32_t> references = {};
  std::span<const std::uint8_t> texts = {};

  /// How many there are of a kind, of which how many are imported; {0, 0} for a wrong kind.
  std::pair<std::size_t, std::uint32_t> space(std::uint32_t kind) const {
    switch (static_cast<ExternKind>(kind)) {
      case ExternKind::Func:
        return {functions.size(), head.imported_functions};
      case ExternKind::Table:
        return {tables.size(), head.imported_tables};
      case ExternKind::Memory:
        return {memories.size(), head.imported_memories};
      case ExternKind::Global:
        return {globals.size(), head.imported_globals};
    }
    return {0, 0};
  }
};

bool check_types(const Tables& in, std::uint64_t text) {
  return std::ranges::all_of(in.val_types, is_val_type) &&
         std::ranges::all_of(in.types, [&](const FlatType& type) {
           return inside(type.first, std::uint64_t{type.params} + type.results,
                         in.val_types.size()) &&
                  type.params <= kMaxResults && type.results <= kMaxResults &&
                  inside(type.entry_trampoline, text) && inside(type.host_trampoline, text);
         });
}

/// Imports are in the order of the module, so that each kind's indices count up from 0.
bool check_imports(const Tables& in) {
  std::array<std::uint32_t, 4> seen{};
  for (const FlatImport& import : in.imports) {
    if (import.kind >= seen.size() || import.index != seen[import.kind]++) return false;
    if (!inside(import.module, in.texts.size()) || !inside(import.name, in.texts.size())) {
      return false;
    }
  }
  for (std::uint32_t kind = 0; kind < seen.size(); ++kind) {
    const auto [count, imported] = in.space(kind);
    if (seen[kind] != imported || imported > count) return false;
  }
  return true;
}

bool check_exports(const Tables& in) {
  return std::ranges::all_of(in.exports, [&](const FlatExport& one) {
    return inside(one.name, in.texts.size()) && one.index < in.space(one.kind).first;
  });
}

bool check_functions(const Tables& in, std::uint64_t text) {
  const auto is_function = [&](std::uint32_t index) { return index < in.functions.size(); };
  return std::ranges::all_of(in.functions,
                             [&](const FlatFunction& function) {
                               return function.type < in.types.size() &&
                                      inside(function.code, text);
                             }) &&
         std::ranges::all_of(in.references, is_function) &&
         std::ranges::is_sorted(in.references, std::ranges::less_equal{}) &&
         (in.head.start == kNone || is_function(in.head.start));
}

bool check_tables_and_memories(const Tables& in, std::uint64_t image) {
  if (in.tables.size() > kMaxTables || in.memories.size() > kMaxMemories) return false;
  const auto is_table = [](const FlatTable& table) {
    return is_val_type(table.element) && table.limits.min <= table.limits.max;
  };
  const auto is_memory = [&](const FlatMemory& memory) {
    return memory.limits.min <= kMaxMemoryPages && memory.limits.min <= memory.limits.max &&
           memory.is_shared <= 1 && (memory.is_shared == 0 || memory.limits.max != UINT64_MAX) &&
           is_page_multiple(memory.image_at) && is_page_multiple(memory.image_size) &&
           is_page_multiple(memory.image_offset) &&
           inside(memory.image_at, memory.image_size, memory.limits.min * kPageSize) &&
           inside(memory.image_offset, memory.image_size, image);
  };
  const auto imported = in.memories.first(in.head.imported_memories);
  return std::ranges::all_of(in.tables, is_table) && std::ranges::all_of(in.memories, is_memory) &&
         std::ranges::all_of(imported,
                             [](const FlatMemory& memory) { return memory.image_size == 0; });
}

bool check_constants(const Tables& in) {
  return std::ranges::all_of(in.constants, [&](const FlatConstant& step) {
    if (step.op > ConstOp::Mul64) return false;
    if (step.op == ConstOp::RefFunc) return step.index < in.references.size();
    return step.op != ConstOp::GlobalGet || step.index < in.globals.size();
  });
}

bool check_globals(const Tables& in) {
  return std::ranges::all_of(in.globals, [&](const FlatGlobal& global) {
    return is_val_type(global.type) && inside(global.init, in.constants.size());
  });
}

bool check_segments(const Tables& in, std::uint64_t data_size) {
  constexpr auto kLastMode = static_cast<std::uint32_t>(SegmentMode::Declarative);
  const auto is_element = [&](const FlatElement& element) {
    const std::size_t items =
        element.by_expression != 0 ? in.item_expressions.size() : in.item_slots.size();
    return element.mode <= kLastMode && inside(element.items, items) && is_val_type(element.type) &&
           inside(element.offset, in.constants.size()) &&
           (element.mode != 0 || element.table < in.tables.size());
  };
  const auto is_data = [&](const FlatData& data) {
    return data.mode <= kLastMode && inside(data.offset, in.constants.size()) &&
           inside(data.data_offset, data.size, data_size) &&
           (data.mode != 0 || data.memory < in.memories.size());
  };
  return std::ranges::all_of(in.elements, is_element) && std::ranges::all_of(in.data, is_data) &&
         std::ranges::all_of(
             in.item_slots,
             [&](std::uint32_t slot) { return slot == kNone || slot < in.references.size(); }) &&
         std::ranges::all_of(in.item_expressions, [&](Slice expression) {
           return inside(expression, in.constants.size());
         });
}

}  // namespace

base::Result<void> check_header(std::span<const std::byte> file) {
  if (file.size() > kMaxFileSize) {
    return base::fail(base::ErrorKind::LimitExceeded, "artifact is larger than 4 GiB");
  }
  if (file.size() < kMetadataOffset + sizeof(MetadataHeader)) return broken("too short");
  // Safety: inside the file, as just checked; Header is plain data.
  const auto& header = *reinterpret_cast<const Header*>(file.data() + kHeaderOffset);
  if (header.magic != kMagic) return base::fail(base::ErrorKind::Invalid, "no artifact");
  if (header.format_version != kFormatVersion || header.abi_version != kAbiVersion) {
    return base::fail(base::ErrorKind::Unsupported,
                      "artifact of format " + std::to_string(header.format_version) + ", abi " +
                          std::to_string(header.abi_version));
  }
  if (header.file_size != file.size()) return broken("size differs from the header's");
  std::uint64_t at = kMetadataOffset;
  for (const PartRecord& part : header.parts) {
    if (part.offset < at || part.offset % 8 != 0) return broken("parts overlap");
    if (!inside(part.offset, part.size, file.size())) return broken("part outside of the file");
    at = part.offset + part.size;
  }
  const auto part = [&](Part which) { return header.parts[static_cast<std::size_t>(which)]; };
  for (const Part which : {Part::Image, Part::Text, Part::Rodata}) {
    if (!is_page_multiple(part(which).offset) || !is_page_multiple(part(which).size)) {
      return broken("part is not page aligned");
    }
  }
  if (part(Part::Text).size + part(Part::Rodata).size > kMaxTextSize)
    return broken("text too large");
  if (part(Part::Positions).size % sizeof(FlatPosition) != 0 ||
      part(Part::Inlined).size % sizeof(FlatInlined) != 0 ||
      part(Part::Sites).size % sizeof(FlatSite) != 0) {
    return broken("tables of backtraces");
  }
  if (part(Part::Metadata).offset != kMetadataOffset ||
      part(Part::Metadata).size < sizeof(MetadataHeader)) {
    return broken("metadata");
  }
  return {};
}

base::Result<void> check_metadata(const Header& header, std::span<const std::byte> metadata) {
  // Safety: check_header has found a MetadataHeader there; arrays are followed only after `fits`.
  const auto& head = *reinterpret_cast<const MetadataHeader*>(metadata.data());
  bool whole = true;
  const auto fits = [&]<typename T>(Array where, std::span<const T>& out) {
    if (where.offset % 8 != 0 ||
        !inside(where.offset, std::uint64_t{where.count} * sizeof(T), metadata.size())) {
      whole = false;
      return;
    }
    out = {reinterpret_cast<const T*>(metadata.data() + where.offset), where.count};
  };
  Tables in{.head = head};
  fits(head.types, in.types);
  fits(head.val_types, in.val_types);
  fits(head.imports, in.imports);
  fits(head.functions, in.functions);
  fits(head.tables, in.tables);
  fits(head.memories, in.memories);
  fits(head.globals, in.globals);
  fits(head.exports, in.exports);
  fits(head.elements, in.elements);
  fits(head.item_slots, in.item_slots);
  fits(head.item_expressions, in.item_expressions);
  fits(head.data, in.data);
  fits(head.constants, in.constants);
  fits(head.references, in.references);
  fits(head.texts, in.texts);
  if (!whole || !inside(head.module_name, in.texts.size())) return broken("metadata");

  const auto size = [&](Part part) { return header.parts[static_cast<std::size_t>(part)].size; };
  if (!check_types(in, size(Part::Text))) return broken("types");
  if (!check_imports(in)) return broken("imports");
  if (!check_exports(in)) return broken("exports");
  if (!check_functions(in, size(Part::Text))) return broken("functions");
  if (!check_tables_and_memories(in, size(Part::Image))) return broken("tables or memories");
  if (!check_constants(in)) return broken("constant expressions");
  if (!check_globals(in)) return broken("globals");
  if (!check_segments(in, size(Part::Data))) return broken("segments");
  return {};
}

}  // namespace engine::artifact
