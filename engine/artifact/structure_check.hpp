// What makes a file structurally an artifact: docs/formats/artifact.md. After both checks, every
// index, slice and code range of header and metadata is inside of what it refers to.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.hpp"
#include "engine/artifact/format.hpp"

namespace engine::artifact {

/// Magic, versions, size, and that the parts lie in the file, in order and aligned.
base::Result<void> check_header(std::span<const std::byte> file);

/// The metadata against itself and the sizes of the header's parts.
base::Result<void> check_metadata(const Header& header, std::span<const std::byte> metadata);

}  // namespace engine::artifact
