// Evaluation of constant expressions (core spec 3.4.12, 4.5.4) as the artifact stores them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "engine/artifact/format.hpp"
#include "engine/artifact/vm_layout.hpp"

namespace engine::execution {

/// Nothing for an expression that no valid module has: operands missing or left over.
std::optional<VmValue> evaluate_const_expr(
    std::span<const artifact::FlatConstant> steps,
    const std::function<std::uint64_t(std::uint32_t slot)>& reference,
    const std::function<VmValue(std::uint32_t index)>& global);

}  // namespace engine::execution
