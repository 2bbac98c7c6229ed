// The ahead-of-time compiler: a validated module becomes position-independent machine code with the
// tables that describe it. LLVM stays behind this header.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "engine/artifact/compiled_code.hpp"
#include "engine/structure/error.hpp"
#include "engine/structure/module.hpp"

namespace engine::compiler {

/// Levels of the x86-64 psABI. V2 is the least that the generated code can do with (SSE4.1).
enum class CpuLevel : std::uint8_t { V2, V3 };

/// The best level that this machine has.
Result<CpuLevel> host_cpu_level();

/// "x86-64-v3"
std::string_view cpu_level_name(CpuLevel level);

/// Everything here but `threads` decides about the output and is part of the artifact's key.
/// Budgets are in wasm instructions.
struct CompileOptions {
  CpuLevel cpu = CpuLevel::V2;
  std::uint32_t threads = 2;
  /// Functions are optimised together in chunks of about this size.
  std::uint32_t chunk_instructions = 40'000;
  /// Smaller callees of other chunks are copied for inlining.
  std::uint32_t import_instructions = 60;
  /// Larger functions get the cheap pipeline.
  std::uint32_t giant_instructions = 30'000;
  /// Larger modules get the cheap pipeline for all but their small functions.
  std::uint64_t module_instructions_o2 = 6'000'000;
  /// Checks LLVM's own rules after each step; for tests.
  bool verify = false;
};

/// Changes with every change of the generated code; at most 95 bytes.
std::string_view compiler_version();

/// Names compiler version and options for the artifact's key; equal strings mean equal output for
/// equal modules.
std::string options_fingerprint(const CompileOptions& options);

/// Called from worker threads, never concurrently; bytes of function bodies.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// `module` must have passed validation, and outlives the call. `progress` may be empty.
/// Deterministic: the result depends on module and options (without `threads`) alone.
Result<artifact::CompiledCode> compile(const Module& module, const CompileOptions& options,
                                       const Progress& progress = {});

}  // namespace engine::compiler
