// From bytes to a Module (core spec chapter 5). Function bodies are only located here: the
// validator reads them, and finds what is malformed in them.
#pragma once

#include <cstddef>
#include <span>

#include "engine/structure/error.hpp"
#include "engine/structure/module.hpp"

namespace engine::binary {

/// The module refers to `bytes`. Fails with Malformed, LimitExceeded, Unsupported, or Invalid (an
/// instruction that no constant expression may hold). Takes memory proportional to the input.
/// The result must pass validation::validate before anything else looks at it.
Result<Module> decode(std::span<const std::byte> bytes);

}  // namespace engine::binary
