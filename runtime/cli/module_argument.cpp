#include "runtime/cli/module_argument.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.hpp"
#include "runtime/workload/module_file.hpp"
#include "runtime/workload/programs.hpp"

namespace runtime::cli {
namespace {

void show(const std::string& text) {
  static_cast<void>(base::write_all(STDERR_FILENO, text, "standard error"));
}

}  // namespace

base::Result<base::UniqueFd> open_module(const std::string& path) {
  // A FIFO or a device must not block or act.
  base::UniqueFd file = TRY(base::open_file(path, O_RDONLY | O_NONBLOCK));
  const struct stat status = TRY(base::stat_fd(file.get(), path));
  if (!S_ISREG(status.st_mode)) {
    return base::fail(base::ErrorKind::Invalid, path + ": not a regular file");
  }
  switch (TRY(workload::kind_of_file(file.get(), path))) {
    case workload::FileKind::Module:
      return file;
    case workload::FileKind::Component:
      return base::fail(base::ErrorKind::Unsupported, path + ": components are not supported yet");
    case workload::FileKind::Other:
      break;
  }
  return base::fail(base::ErrorKind::Invalid, path + ": not a WebAssembly module");
}

engine::cache::Progress show_progress(const std::string& path) {
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  // -1: nothing shown yet.
  return [path, terminal, shown = -1](std::uint64_t done, std::uint64_t total) mutable {
    const int percent = total == 0 ? 100 : static_cast<int>(done * 100 / total);
    const int step = terminal ? 1 : 10;
    if (percent / step == shown) return;
    shown = percent / step;
    std::string text = "compiling " + path + " " + std::to_string(percent) + " %";
    if (terminal) {
      constexpr int kWidth = 30;
      const auto filled = static_cast<std::size_t>(percent * kWidth / 100);
      text = "\r" + text + " [" + std::string(filled, '#') + std::string(kWidth - filled, '.') +
             "]" + (percent == 100 ? "\n" : "");
    } else {
      text += "\n";
    }
    show(text);
  };
}

base::Result<engine::cache::Obtained> obtain_artifact(const std::string& path, int module,
                                                      const Log& log,
                                                      const engine::cache::Progress& progress) {
  engine::cache::ObtainOptions options;
  options.find_compiler = [] { return workload::program_beside("wherry-compile"); };
  options.progress = progress;
  auto obtained =
      TRY(engine::cache::obtain(engine::cache::default_directory(), module, path, options));
  for (const std::string& warning : obtained.warnings) log.warning(warning);
  return obtained;
}

}  // namespace runtime::cli
