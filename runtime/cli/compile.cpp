// wherry compile
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <chrono>

#include "base/file.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/module_argument.hpp"

namespace runtime::cli {
namespace {

constexpr Option kOptions[] = {
    {"output", 'o', OptionKind::Value, "FILE", "also write the artifact to FILE"},
    {"quiet", 'q', OptionKind::Flag, {}, "show no progress"},
};

base::Result<void> copy_to(const std::string& path, int artifact) {
  const base::UniqueFd out = TRY(base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  const struct stat status = TRY(base::stat_fd(artifact, path));
  off_t at = 0;
  while (at < status.st_size) {
    const auto left = static_cast<std::size_t>(status.st_size - at);
    if (::sendfile(out.get(), artifact, &at, left) <= 0) return base::fail_errno("sendfile", path);
  }
  return {};
}

std::string describe(const engine::cache::Obtained& obtained, std::chrono::milliseconds time) {
  const std::string key = base::to_hex(obtained.key);
  if (!obtained.compiled) return key + " (already in the cache)\n";
  return key + "\n" + std::to_string(obtained.report.bytes_o2) + " bytes of code at O2, " +
         std::to_string(obtained.report.bytes_o1) + " at O1, in " + std::to_string(time.count()) +
         " ms\n";
}

base::Result<int> run(const Invocation& invocation) {
  const std::string& path = invocation.arguments.positional().front();
  const base::UniqueFd module = TRY(open_module(path));
  const auto progress =
      invocation.arguments.flag("quiet") ? engine::cache::Progress() : show_progress(path);
  const auto begin = std::chrono::steady_clock::now();
  const auto obtained = TRY(obtain_artifact(path, module.get(), invocation.log, progress));
  const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  print(describe(obtained, time));
  if (const auto output = invocation.arguments.value("output")) {
    TRY(copy_to(*output, obtained.artifact.get()));
  }
  return 0;
}

}  // namespace

constinit const Command kCompile{
    .name = "compile",
    .synopsis = "<module.wasm>",
    .summary = "compile a WebAssembly module into the cache, ahead of its first start",
    .description =
        "Compiles for this machine's processor and keeps the result in the node's cache, where\n"
        "every later start of the same module finds it. Prints the artifact's key.",
    .options = kOptions,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
};

}  // namespace runtime::cli
