// wasm-testsuite-runner SCRIPT.json: runs one translated script of the core test suite. Failures go
// to standard output as "FILE:LINE: why"; the last line is "N passed, M failed, T text".
#include <cstdio>
#include <string>

#include "test/conformance/script_runner.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: wasm-testsuite-runner SCRIPT.json\n", stderr);
    return 2;
  }
  const auto script = conformance::read_script(argv[1]);
  if (!script) {
    std::fprintf(stderr, "%s\n", script.error().message().c_str());
    return 2;
  }
  engine::compiler::CompileOptions options;
  options.threads = 1;
  if (const auto level = engine::compiler::host_cpu_level()) options.cpu = *level;
  const auto report = [&](std::uint64_t line, const std::string& why) {
    std::printf("%s:%llu: %s\n", script->source.c_str(), static_cast<unsigned long long>(line),
                why.c_str());
    std::fflush(stdout);
  };
  const auto runner = conformance::ScriptRunner::create(options, report);
  if (!runner) {
    std::fprintf(stderr, "%s\n", runner.error().message().c_str());
    return 2;
  }
  const conformance::Tally tally = (*runner)->run(*script);
  std::printf(
      "%llu passed, %llu failed, %llu text\n", static_cast<unsigned long long>(tally.passed),
      static_cast<unsigned long long>(tally.failed), static_cast<unsigned long long>(tally.text));
  return tally.failed == 0 ? 0 : 1;
}
