// Which data segments the artifact's memory image holds, and the image itself
// (docs/formats/artifact.md, "Image").
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/structure/module.hpp"

namespace engine::artifact {

struct MemoryImage {
  std::uint64_t at = 0;      ///< address in the memory, page aligned
  std::uint64_t size = 0;    ///< 0: none; a multiple of pages
  std::uint64_t offset = 0;  ///< in `bytes`
};

struct ImagePlan {
  std::vector<MemoryImage> memories;  ///< one for each memory of the index space
  std::vector<bool> in_image;         ///< one for each data segment
  std::vector<std::byte> bytes;
};

ImagePlan plan_images(const Module& module);

}  // namespace engine::artifact
