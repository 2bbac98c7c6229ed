// wherry-compile: a module on descriptor 3 becomes an artifact on descriptor 4, told about on 5
// (engine/cache/compile_process.hpp). It runs confined, since both LLVM and the module are large
// and the latter hostile: no new privileges, limited memory and time, and only the system calls
// that computing takes.
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "base/sha256.hpp"
#include "engine/artifact/cpu.hpp"
#include "engine/artifact/writer.hpp"
#include "engine/binary/decode.hpp"
#include "engine/cache/compile_process.hpp"
#include "engine/compiler/compile.hpp"
#include "engine/programs/compute_filter.hpp"
#include "engine/structure/limits.hpp"
#include "engine/validation/validate.hpp"

namespace {

using engine::cache::kModuleFd;
using engine::cache::kOutputFd;
using engine::cache::kReportFd;

constexpr rlim_t kMaxMemory = rlim_t{8} << 30;
constexpr rlim_t kMaxSeconds = 3600;

void report(const std::string& line) {
  static_cast<void>(base::write_all(kReportFd, line + "\n", "report"));
}

int fail_with(const std::string& text) {
  std::string line = text;
  for (char& c : line) c = c == '\n' ? ' ' : c;
  report("error " + line);
  return 1;
}

base::Result<void> limit(int resource, rlim_t value, std::string_view name) {
  const rlimit limits{value, value};
  if (::setrlimit(static_cast<__rlimit_resource_t>(resource), &limits) != 0) {
    return base::fail_errno("setrlimit", name);
  }
  return {};
}

base::Result<void> confine() {
  // Nobody waits for the result of a compiler whose caller is gone.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return base::fail_errno("prctl", "PR_SET_PDEATHSIG");
  TRY(limit(RLIMIT_AS, kMaxMemory, "RLIMIT_AS"));
  TRY(limit(RLIMIT_CPU, kMaxSeconds, "RLIMIT_CPU"));
  TRY(limit(RLIMIT_CORE, 0, "RLIMIT_CORE"));
  return engine::programs::install_compute_filter();
}

engine::Result<engine::artifact::CompiledCode> compile_reporting(
    const engine::Module& module, const engine::compiler::CompileOptions& options) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point last = Clock::now();
  return engine::compiler::compile(
      module, options, [&last](std::uint64_t done, std::uint64_t total) {
        if (Clock::now() - last < std::chrono::milliseconds(100) && done != total) return;
        last = Clock::now();
        report("progress " + std::to_string(done) + " " + std::to_string(total));
      });
}

base::Result<engine::compiler::CpuLevel> parse_level(std::string_view name) {
  using engine::compiler::CpuLevel;
  for (const CpuLevel level : {CpuLevel::V2, CpuLevel::V3}) {
    if (engine::compiler::cpu_level_name(level) == name) return level;
  }
  return base::fail(base::ErrorKind::Unsupported, "unsupported: CPU level " + std::string(name));
}

base::Result<void> run(std::string_view cpu) {
  engine::compiler::CompileOptions options;
  options.cpu = TRY(parse_level(cpu));
  TRY(confine());
  const std::string text = TRY(base::read_all(kModuleFd, engine::kMaxModuleSize, "module"));
  const auto bytes = std::as_bytes(std::span(text));
  const auto module = engine::binary::decode(bytes);
  if (!module) return std::unexpected(to_base_error(module.error()));
  if (const auto valid = engine::validation::validate(*module); !valid) {
    return std::unexpected(to_base_error(valid.error()));
  }
  const auto code = compile_reporting(*module, options);
  if (!code) return std::unexpected(to_base_error(code.error()));
  engine::artifact::ArtifactKey key;
  key.module_digest = base::sha256(bytes);
  key.compiler = engine::compiler::compiler_version();
  key.options = engine::compiler::options_fingerprint(options);
  key.cpu_features =
      TRY(engine::artifact::features_of_level(engine::compiler::cpu_level_name(options.cpu)));
  const std::vector<std::byte> file = TRY(engine::artifact::write_artifact(*module, *code, key));
  TRY(base::write_all(kOutputFd, file, "artifact"));
  report("levels " + std::to_string(code->bytes_o2) + " " + std::to_string(code->bytes_o1));
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::string_view kOption = "--cpu=";
  if (argc != 2 || !std::string_view(argv[1]).starts_with(kOption)) {
    constexpr std::string_view kText =
        "wherry-compile is started by `wherry compile`, with a module on descriptor 3\n";
    static_cast<void>(base::write_all(2, kText, "standard error"));
    return 2;
  }
  const base::Result<void> done = run(std::string_view(argv[1]).substr(kOption.size()));
  if (done) return 0;
  const bool is_system = done.error().kind() == base::ErrorKind::System;
  return fail_with((is_system ? "system: " : "") + done.error().message());
}
