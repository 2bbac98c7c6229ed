// An artifact with patches: no crash, and everything that a check let through can be walked. The
// input is a list of patches, {offset, length, 4 bytes} each, to the header and metadata of a whole
// file; random bytes as a file would never get beyond the magic.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "engine/artifact/reader.hpp"
#include "engine/artifact/sample_module.hpp"

namespace {

using engine::artifact::Artifact;

struct Patch {
  std::uint16_t offset;
  std::uint16_t length;
  std::uint8_t bytes[4];
};

void apply_patch(std::vector<std::byte>& file, const Patch& patch) {
  const std::size_t at = patch.offset % file.size();
  const std::size_t length = std::min<std::size_t>(patch.length % 4 + 1U, file.size() - at);
  std::memcpy(file.data() + at, patch.bytes, length);
}

void touch(std::span<const std::byte> bytes, std::uint64_t& sum) {
  for (const std::byte byte : bytes) sum += std::to_integer<std::uint64_t>(byte);
}

std::uint64_t walk(const Artifact& artifact) {
  std::uint64_t sum = artifact.target_cpu().size() + artifact.compiler().size();
  for (const auto& type : artifact.types()) {
    for (const auto param : artifact.params(type)) sum += param;
    for (const auto result : artifact.results(type)) sum += result;
  }
  for (const auto& import : artifact.imports()) {
    sum += std::string(artifact.text(import.module)).size();
    sum += std::string(artifact.text(import.name)).size();
  }
  for (const auto& one : artifact.exports()) sum += std::string(artifact.text(one.name)).size();
  for (const auto& global : artifact.globals()) {
    for (const auto& step : artifact.constants(global.init)) sum += step.low;
  }
  for (const auto& element : artifact.elements()) {
    for (const auto slot : artifact.item_slots(element)) sum += slot;
    for (const auto& item : artifact.item_expressions(element)) {
      sum += artifact.constants(item).size();
    }
  }
  for (const auto& data : artifact.data()) touch(artifact.bytes(data), sum);
  for (const auto& memory : artifact.memories()) {
    touch(artifact.part(engine::artifact::Part::Image)
              .subspan(memory.image_offset, memory.image_size),
          sum);
  }
  for (std::uint32_t k = 0; k < artifact.functions().size(); ++k) {
    sum += std::string(artifact.function_name(k)).size();
  }
  for (const std::uint64_t offset : {0U, 16U, 17U, 4096U, 0xffffffffU}) {
    for (const auto& frame : artifact.frames_at(offset))
      sum += frame.function + frame.module_offset;
  }
  return sum + engine::context_layout(artifact.context_counts()).size;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace engine::artifact;
  static const std::vector<std::byte> whole =
      write_artifact(sample_module(), sample_code(), sample_key()).value();
  std::vector<std::byte> file = whole;
  for (; size >= sizeof(Patch); data += sizeof(Patch), size -= sizeof(Patch)) {
    Patch patch;
    std::memcpy(&patch, data, sizeof(patch));
    apply_patch(file, patch);
  }
  volatile std::uint64_t sink = 0;
  if (const auto artifact = Artifact::parse(file)) sink = walk(*artifact);
  (void)sink;
  return 0;
}
