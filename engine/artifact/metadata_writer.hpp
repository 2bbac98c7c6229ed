// The metadata part: a module's types, index spaces and segments as flat records.
#pragma once

#include <cstddef>
#include <vector>

#include "base/result.hpp"
#include "engine/artifact/compiled_code.hpp"
#include "engine/artifact/image.hpp"
#include "engine/structure/module.hpp"

namespace engine::artifact {

struct Metadata {
  std::vector<std::byte> metadata;
  std::vector<std::byte> data;  ///< bytes of the segments that are not in the image
};

/// `code` has as many functions and trampolines as `module` asks for.
base::Result<Metadata> write_metadata(const Module& module, const CompiledCode& code,
                                      const ImagePlan& images);

}  // namespace engine::artifact
