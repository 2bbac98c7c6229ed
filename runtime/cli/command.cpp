// Texts that all commands share.
#include "runtime/cli/command.hpp"

#include <unistd.h>

#include <array>
#include <climits>

#include "base/file.hpp"

namespace runtime::cli {

std::string describe_command(const Command& command) {
  std::string out = "wherry " + std::string(command.name) + ": " + std::string(command.summary);
  out += "\n\nUsage: wherry " + std::string(command.name) + " [options]";
  if (!command.synopsis.empty()) out += ' ' + std::string(command.synopsis);
  out += "\n\n";
  if (!command.description.empty()) out += std::string(command.description) + "\n\n";
  return out + "Options:\n" + describe_options(command.options);
}

void print(std::string_view text) { (void)base::write_all(STDOUT_FILENO, text, "stdout"); }

base::Result<std::string> current_directory() {
  std::array<char, PATH_MAX> path{};
  if (::getcwd(path.data(), path.size()) == nullptr) return base::fail_errno("getcwd");
  return std::string(path.data());
}

base::Result<std::string> absolute_path(std::string path) {
  if (path == ".") return current_directory();
  if (path.starts_with('/')) return path;
  return TRY(current_directory()) + '/' + path;
}

}  // namespace runtime::cli
