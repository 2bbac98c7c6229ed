// CPU features by psABI level and by CPUID (Intel SDM vol. 2, CPUID; vol. 1, 13.3 for XCR0).
#include "engine/artifact/cpu.hpp"

#include <cpuid.h>

#include <bit>

namespace engine::artifact {
namespace {

struct Registers {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
};

Registers cpuid(unsigned leaf) {
  Registers out;
  // Zeros where the CPU has no such leaf: it then has none of its features.
  __get_cpuid_count(leaf, 0, &out.eax, &out.ebx, &out.ecx, &out.edx);
  return out;
}

/// The register sets that the kernel saves, so that a feature which needs them can be used.
std::uint64_t enabled_states() {
  constexpr unsigned kOsxsave = 1U << 27;
  if ((cpuid(1).ecx & kOsxsave) == 0) return 0;
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  // Safety: xgetbv of XCR0 exists when OSXSAVE is set.
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (std::uint64_t{high} << 32) | low;
}

}  // namespace

base::Result<CpuFeatures> features_of_level(std::string_view target_cpu) {
  int wanted = 0;
  if (target_cpu == "x86-64") {
    wanted = 1;
  } else if (target_cpu == "x86-64-v2") {
    wanted = 2;
  } else if (target_cpu == "x86-64-v3") {
    wanted = 3;
  } else if (target_cpu == "x86-64-v4") {
    wanted = 4;
  } else {
    return base::fail(base::ErrorKind::Unsupported, "unknown cpu " + std::string(target_cpu));
  }
  CpuFeatures out = 0;
#define CPU_FEATURE(name, bit, level, leaf, reg, reg_bit) \
  if (level <= wanted) out |= CpuFeatures{1} << bit;
#include "engine/artifact/cpu_feature.def"
#undef CPU_FEATURE
  return out;
}

CpuFeatures host_features() {
  constexpr std::uint64_t kAvxStates = 0x6;
  constexpr std::uint64_t kAvx512States = 0xe6;
  const std::uint64_t states = enabled_states();
  CpuFeatures out = 0;
#define CPU_FEATURE(name, bit, level, leaf, reg, reg_bit)         \
  if (((cpuid(leaf).reg >> reg_bit) & 1U) != 0 &&                 \
      (level < 3 || (states & kAvxStates) == kAvxStates) &&       \
      (level < 4 || (states & kAvx512States) == kAvx512States)) { \
    out |= CpuFeatures{1} << bit;                                 \
  }
#include "engine/artifact/cpu_feature.def"
#undef CPU_FEATURE
  return out;
}

std::string feature_names(CpuFeatures features) {
  std::string out;
  const auto append = [&out](std::string_view name) {
    if (!out.empty()) out += ", ";
    out += name;
  };
#define CPU_FEATURE(name, bit, level, leaf, reg, reg_bit) \
  if ((features >> bit & 1U) != 0) append(#name);         \
  features &= ~(CpuFeatures{1} << bit);
#include "engine/artifact/cpu_feature.def"
#undef CPU_FEATURE
  for (; features != 0; features &= features - 1) {
    append("bit " + std::to_string(std::countr_zero(features)));
  }
  return out;
}

}  // namespace engine::artifact
