// Which CPU an artifact's text needs, and whether this one will do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace engine::artifact {

/// A set of bits of cpu_feature.def.
using CpuFeatures = std::uint64_t;

/// What a psABI level ("x86-64", "x86-64-v2", …) grants; Unsupported for other names.
base::Result<CpuFeatures> features_of_level(std::string_view target_cpu);

/// What CPUID reports and the kernel has enabled.
CpuFeatures host_features();

/// "avx2, bmi1": the names of the bits, unknown ones as "bit 40".
std::string feature_names(CpuFeatures features);

}  // namespace engine::artifact
