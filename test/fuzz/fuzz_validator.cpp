// Any bytes as a function's body, in a module that has one of everything: gets behind the decoder
// at once. The first byte chooses the function's type.
#include <cstdint>
#include <vector>

#include "engine/binary/decode.hpp"
#include "engine/structure/limits.hpp"
#include "engine/validation/validate.hpp"

namespace {

engine::Module module_with_body(std::span<const std::byte> body, std::uint32_t type) {
  using engine::ValType;
  engine::Module module;
  module.bytes = body;
  module.types = {{{}, {}},
                  {{ValType::I32}, {ValType::I32}},
                  {{ValType::I64, ValType::F32, ValType::F64}, {ValType::V128, ValType::FuncRef}},
                  {{}, {ValType::ExternRef, ValType::I32, ValType::I64}}};
  module.functions = {{type, 0, static_cast<std::uint32_t>(body.size())}};
  module.tables = {{ValType::FuncRef, {1, 2}}, {ValType::ExternRef, {1, {}}}};
  module.memories = {{{1, {}}}, {{1, 2}}};
  module.globals = {{{ValType::I32, true}, {}}, {{ValType::V128, false}, {}}};
  module.elements.resize(1);
  module.data.resize(1);
  module.data_count = 1;
  module.referenced_functions = {0};
  return module;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto body = std::as_bytes(std::span(data, size)).subspan(1);
  const engine::Module module = module_with_body(body, data[0] % 4U);
  std::uint64_t typed_operands = engine::kTypedOperandsBase;
  static_cast<void>(engine::validation::validate_function(module, 0, {}, typed_operands));
  return 0;
}
