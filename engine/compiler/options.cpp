// The compiler's options: what the host's processor can do, and how options enter the artifact's
// key.
#include "engine/compiler/compile.hpp"

namespace engine::compiler {
namespace {

// Raise it with every change of the generated code.
constexpr std::string_view kCompilerVersion = "wherry-llvm19-6";

}  // namespace

Result<CpuLevel> host_cpu_level() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v3")) return CpuLevel::V3;
  if (__builtin_cpu_supports("x86-64-v2")) return CpuLevel::V2;
  return fail(ErrorKind::Unsupported, "processor older than x86-64-v2 (no SSE4.1)");
}

std::string_view cpu_level_name(CpuLevel level) {
  return level == CpuLevel::V3 ? "x86-64-v3" : "x86-64-v2";
}

std::string_view compiler_version() { return kCompilerVersion; }

std::string options_fingerprint(const CompileOptions& options) {
  std::string out(kCompilerVersion);
  out += " cpu=";
  out += cpu_level_name(options.cpu);
  out += " chunk=" + std::to_string(options.chunk_instructions);
  out += " import=" + std::to_string(options.import_instructions);
  out += " giant=" + std::to_string(options.giant_instructions);
  out += " o2=" + std::to_string(options.module_instructions_o2);
  return out;
}

}  // namespace engine::compiler
