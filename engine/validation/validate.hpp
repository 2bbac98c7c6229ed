// Validation (core spec chapter 3).
#pragma once

#include "engine/structure/error.hpp"
#include "engine/structure/features.hpp"
#include "engine/structure/module.hpp"

namespace engine::validation {

/// Checks the module and every function body. Fails with Invalid, with Unsupported for a feature
/// that is off, with Malformed for what only reading the bodies can find, or with LimitExceeded.
/// Takes time linear in the module's size, and memory linear in its largest body: what the types of
/// branches and calls cost beyond that is counted (kTypedOperandsPerByte). After success every
/// index in the module is in range.
Result<void> validate(const Module& module, const Features& features = {});

/// One body. `typed_operands` is what the module's bodies may still look at, and is lowered by what
/// this one did; it is exceeded by no more than one instruction.
Result<void> validate_function(const Module& module, std::uint32_t function,
                               const Features& features, std::uint64_t& typed_operands);

}  // namespace engine::validation
