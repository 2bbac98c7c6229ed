// Any bytes as a module: no crash, no leak; errors point into the input, and what is decoded lies
// inside it. Every body is then read instruction by instruction, valid or not.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "engine/binary/decode.hpp"
#include "engine/binary/instruction_reader.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check_error(const engine::Error& error, std::size_t size) {
  require(!error.text.empty());
  require(error.offset.value_or(0) <= size);
}

void read_body(const engine::Module& module, const engine::Function& function) {
  const std::uint64_t end = function.body_offset + function.body_size;
  require(function.body_size > 0 && end <= module.bytes.size());
  engine::binary::InstructionReader reader(module.bytes, function);
  if (const auto locals = reader.read_locals(); !locals) {
    return check_error(locals.error(), module.bytes.size());
  }
  while (!reader.at_end()) {
    const std::uint64_t before = reader.offset();
    const auto instruction = reader.next();
    if (!instruction) return check_error(instruction.error(), module.bytes.size());
    require(instruction->offset == before && reader.offset() > before && reader.offset() <= end);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto module = engine::binary::decode(std::as_bytes(std::span(data, size)));
  if (!module) {
    check_error(module.error(), size);
    return 0;
  }
  for (const engine::DataSegment& segment : module->data) {
    require(segment.data_offset + segment.data_size <= size);
  }
  for (std::size_t i = module->imported_functions; i < module->functions.size(); ++i) {
    read_body(*module, module->functions[i]);
  }
  return 0;
}
