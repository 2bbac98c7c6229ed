// What a command is: a row in the table of main.cpp. One file per command defines its row.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/log.hpp"
#include "runtime/state/store.hpp"
#include "runtime/trace/trace.hpp"

namespace runtime::cli {

/// What stands before the command's name.
struct Globals {
  state::Store store;
  bool is_default_root = true;  ///< no --root was given
  bool systemd_cgroup = false;
  std::optional<bool> rootless;  ///< absent: as the caller's rights are
  bool debug = false;
  std::string log_path;                       ///< as given; empty: standard error
  std::span<const std::string> command_line;  ///< all of it, from argv[0] on
  trace::Recorder* recorder = nullptr;        ///< not owned; nullptr: no trace is wanted
};

struct Invocation {
  const Globals& globals;
  const Log& log;
  const Arguments& arguments;
};

/// How long a command waits for another one that changes the same container.
inline constexpr std::chrono::milliseconds kLockPatience{10000};

inline constexpr std::size_t kAnyNumber = static_cast<std::size_t>(-1);

struct Command {
  std::string_view name;
  std::string_view synopsis;     ///< behind the name, without options: "<container-id>"
  std::string_view summary;      ///< one line for the list of commands
  std::string_view description;  ///< paragraphs for --help; lines end at column 80
  std::span<const Option> options = {};
  std::size_t least_arguments = 0;
  std::size_t most_arguments = 0;
  Reading reading = Reading::OptionsAnywhere;
  /// The exit status, or an error, which is logged and makes `failure_status`.
  base::Result<int> (*run)(const Invocation&) = nullptr;
  int failure_status = 1;
  /// Its processes enter containers: see sealed_self.hpp.
  bool enters_containers = false;
};

/// The text of --help.
std::string describe_command(const Command& command);

/// Prints to standard output; a reader that went away is no error.
void print(std::string_view text);

base::Result<std::string> current_directory();
/// Relative paths are taken from the current directory; nothing is resolved.
base::Result<std::string> absolute_path(std::string path);

}  // namespace runtime::cli
