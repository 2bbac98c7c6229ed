#include "engine/binary/decode.hpp"

#include <algorithm>
#include <array>

#include "engine/binary/module_decoder.hpp"
#include "engine/structure/limits.hpp"

namespace engine::binary {
namespace {

constexpr std::uint32_t kMagic = 0x6d736100;  // "\0asm"
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kComponentVersion = 0x0001000d;

struct Section {
  std::uint8_t id;
  Result<void> (*read)(Reader&, Module&);
};

// In the order in which they must stand (core spec 5.5.2); each at most once.
constexpr std::array kSections = {
    Section{1, read_types},       Section{2, read_imports},  Section{3, read_functions},
    Section{4, read_tables},      Section{5, read_memories}, Section{6, read_globals},
    Section{7, read_exports},     Section{8, read_start},    Section{9, read_elements},
    Section{12, read_data_count}, Section{10, read_code},    Section{11, read_data},
};

Result<void> read_header(Reader& reader) {
  const auto magic = reader.fixed_u32();
  if (!magic || *magic != kMagic) {
    return fail_at(ErrorKind::Malformed, 0, "magic header not detected");
  }
  const auto version = reader.fixed_u32();
  if (version && *version == kComponentVersion) {
    return fail_at(ErrorKind::Unsupported, 4, "components are not supported, only core modules");
  }
  if (!version || *version != kVersion) {
    return fail_at(ErrorKind::Malformed, 4, "unknown binary version");
  }
  return {};
}

Result<void> read_custom(Reader& section, Module& module) {
  const std::string_view name = TRY(section.name());
  if (name == "name") read_names(section, module);
  return {};
}

/// Reads one section; `next` is the place in kSections of the first section that may still come.
Result<void> read_section(Reader& reader, std::size_t& next, Module& module) {
  const std::uint8_t id = TRY(reader.u8());
  const std::uint32_t size = TRY(reader.u32());
  const std::uint64_t begin = reader.offset();
  if (size > reader.remaining()) return reader.malformed("length out of bounds");
  TRY(reader.take(size));
  Reader section(module.bytes, begin, begin + size);
  if (id == 0) return read_custom(section, module);
  if (id > kSections.size()) {
    return fail_at(ErrorKind::Malformed, begin, "malformed section id " + std::to_string(id));
  }
  const auto* const known = std::ranges::find(kSections, id, &Section::id);
  const auto place = static_cast<std::size_t>(known - kSections.begin());
  if (place < next) {
    return fail_at(ErrorKind::Malformed, begin, "unexpected content after last section");
  }
  next = place + 1;
  TRY(known->read(section, module));
  if (!section.at_end()) return section.malformed("section size mismatch");
  return {};
}

Result<void> check_count(std::size_t count, std::uint32_t limit, std::string_view what) {
  if (count <= limit) return {};
  return fail(ErrorKind::LimitExceeded, std::to_string(count) + " " + std::string(what) +
                                            ", the limit is " + std::to_string(limit));
}

/// What no section can tell alone: index spaces hold imports too, and some sections must agree.
Result<void> check_counts(const Module& module) {
  TRY(check_count(module.functions.size(), kMaxFunctions, "functions"));
  TRY(check_count(module.tables.size(), kMaxTables, "tables"));
  TRY(check_count(module.memories.size(), kMaxMemories, "memories"));
  TRY(check_count(module.globals.size(), kMaxGlobals, "globals"));
  const std::uint64_t end = module.bytes.size();
  for (std::size_t i = module.imported_functions; i < module.functions.size(); ++i) {
    if (module.functions[i].body_size == 0) {
      return fail_at(ErrorKind::Malformed, end,
                     "function and code section have inconsistent lengths");
    }
  }
  if (module.data_count && *module.data_count != module.data.size()) {
    return fail_at(ErrorKind::Malformed, end,
                   "data count and data section have inconsistent lengths");
  }
  return {};
}

void collect(const ConstExpr& expression, std::vector<std::uint32_t>& out) {
  for (const ConstInstruction& instruction : expression) {
    if (instruction.opcode == Opcode::RefFunc) out.push_back(instruction.index);
  }
}

void collect_references(Module& module) {
  std::vector<std::uint32_t>& out = module.referenced_functions;
  for (const Export& item : module.exports) {
    if (item.kind == ExternKind::Func) out.push_back(item.index);
  }
  for (const Global& global : module.globals) collect(global.init, out);
  for (const ElementSegment& segment : module.elements) {
    std::ranges::copy_if(segment.functions, std::back_inserter(out),
                         [](std::uint32_t index) { return index != kNullFunction; });
    for (const ConstExpr& expression : segment.expressions) collect(expression, out);
  }
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  out.shrink_to_fit();
}

}  // namespace

Result<Module> decode(std::span<const std::byte> bytes) {
  if (bytes.size() > kMaxModuleSize) {
    return fail(ErrorKind::LimitExceeded, "module of " + std::to_string(bytes.size()) +
                                              " bytes, the limit is " +
                                              std::to_string(kMaxModuleSize));
  }
  Module module;
  module.bytes = bytes;
  Reader reader(bytes, 0, bytes.size());
  TRY(read_header(reader));
  std::size_t next = 0;
  while (!reader.at_end()) TRY(read_section(reader, next, module));
  TRY(check_counts(module));
  collect_references(module);
  return module;
}

}  // namespace engine::binary
