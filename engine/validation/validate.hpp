// Validation (core spec chapter 3).
#pragma once

#include "engine/structure/error.hpp"
#include "engine/structure/features.hpp"
#include "engine/structure/module.hpp"

namespace engine::validation {

/// Checks the module and every function body. Fails with Invalid, with Unsupported for a feature
/// that is off, or with Malformed or LimitExceeded for what only reading the bodies can find. Takes
/// time linear in the module's size, and memory linear in its largest body. After success every
/// index in the module is in range.
Result<void> validate(const Module& module, const Features& features = {});

/// The part that can be done for each function alone, hence in parallel.
Result<void> validate_function(const Module& module, std::uint32_t function,
                               const Features& features = {});

}  // namespace engine::validation
