// The name section (core spec 7.4.1): only what a backtrace prints.
#include "engine/binary/module_decoder.hpp"
#include "engine/structure/limits.hpp"

namespace engine::binary {
namespace {

constexpr std::uint8_t kModuleName = 0;
constexpr std::uint8_t kFunctionNames = 1;

Result<void> read_function_names(Reader& reader, Module& out) {
  const std::uint32_t count = TRY(reader.count(kMaxFunctions, "names", 2));
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t index = TRY(reader.u32());
    const std::string_view name = TRY(reader.name());
    out.function_names.emplace_hint(out.function_names.end(), index, name);
  }
  return {};
}

Result<void> read_subsections(Reader& reader, Module& out) {
  while (!reader.at_end()) {
    const std::uint8_t id = TRY(reader.u8());
    const std::uint32_t size = TRY(reader.u32());
    const std::uint64_t begin = reader.offset();
    TRY(reader.take(size));
    Reader subsection(out.bytes, begin, begin + size);
    if (id == kModuleName) out.module_name = TRY(subsection.name());
    if (id == kFunctionNames) TRY(read_function_names(subsection, out));
  }
  return {};
}

}  // namespace

void read_names(Reader reader, Module& out) {
  // A broken name section is no broken module: the names read so far stay.
  static_cast<void>(read_subsections(reader, out));
}

}  // namespace engine::binary
