// The image is planned over the longest prefix of active segments that cannot trap.
#include "engine/artifact/image.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "engine/artifact/format.hpp"

namespace engine::artifact {
namespace {

constexpr std::uint64_t kAlwaysImaged = std::uint64_t{16} << 20;

/// The address of a segment that is known to fit its memory when the module is compiled.
std::optional<std::uint64_t> constant_place(const Module& module, const DataSegment& segment) {
  if (segment.memory < module.imported_memories) return std::nullopt;
  if (segment.offset.size() != 1 || segment.offset[0].opcode != Opcode::I32Const) {
    return std::nullopt;
  }
  const std::uint64_t at = static_cast<std::uint32_t>(segment.offset[0].low);
  const std::uint64_t size = module.memories[segment.memory].limits.min * kPageSize;
  if (at > size || segment.data_size > size - at) return std::nullopt;
  return at;
}

struct Placed {
  std::size_t segment;
  std::uint64_t at;
};

/// Passive segments do not take part; they are copied by memory.init only.
std::vector<Placed> prefix_that_cannot_trap(const Module& module) {
  std::vector<Placed> out;
  for (std::size_t k = 0; k < module.data.size(); ++k) {
    if (module.data[k].mode != SegmentMode::Active) continue;
    const auto at = constant_place(module, module.data[k]);
    if (!at) break;
    out.push_back({k, *at});
  }
  return out;
}

}  // namespace

ImagePlan plan_images(const Module& module) {
  ImagePlan out;
  out.memories.resize(module.memories.size());
  out.in_image.resize(module.data.size());
  const std::vector<Placed> prefix = prefix_that_cannot_trap(module);
  for (std::uint32_t memory = 0; memory < module.memories.size(); ++memory) {
    std::uint64_t low = UINT64_MAX;
    std::uint64_t high = 0;
    std::uint64_t filled = 0;
    for (const Placed& placed : prefix) {
      const DataSegment& segment = module.data[placed.segment];
      if (segment.memory != memory || segment.data_size == 0) continue;
      low = std::min(low, placed.at / kPage * kPage);
      high = std::max(high, (placed.at + segment.data_size + kPage - 1) / kPage * kPage);
      filled += segment.data_size;
    }
    if (high == 0 || (high - low > kAlwaysImaged && filled < (high - low) / 2)) continue;
    const MemoryImage image{low, high - low, out.bytes.size()};
    out.memories[memory] = image;
    out.bytes.resize(image.offset + image.size);
    for (const Placed& placed : prefix) {
      const DataSegment& segment = module.data[placed.segment];
      if (segment.memory != memory) continue;
      out.in_image[placed.segment] = true;
      if (segment.data_size == 0) continue;
      std::memcpy(out.bytes.data() + image.offset + (placed.at - low),
                  module.bytes.data() + segment.data_offset, segment.data_size);
    }
  }
  return out;
}

}  // namespace engine::artifact
