// wherry: an OCI runtime with runc's command line. Reads the options before the command, finds the
// command in the table and runs it. The only place where exit codes are made of errors.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/file.hpp"
#include "oci/spec.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/namespaces/user_namespace.hpp"
#include "runtime/workload/sealed_self.hpp"

namespace runtime::cli {
namespace {

// clang-format off: one row each, so that commands can be added side by side.
constexpr std::array kCommands{
    &kCreate,
    &kStart,
    &kRun,
    &kExec,
    &kKill,
    &kDelete,
    &kPause,
    &kResume,
    &kUpdate,
    &kCheckpoint,
    &kRestore,
    &kEvents,
    &kState,
    &kList,
    &kPs,
    &kSpec,
    &kFeatures,
    &kCompile,
    &kWasm,
    &kCache,
};
// clang-format on

constexpr Option kGlobalOptions[] = {
    {"root", 0, OptionKind::Value, "DIR", "directory for the state of containers"},
    {"log", 0, OptionKind::Value, "FILE", "append the log to FILE (default: standard error)"},
    {"log-format", 0, OptionKind::Value, "FORMAT", "text (default) or json"},
    {"debug", 0, OptionKind::Flag, {}, "log more"},
    {"systemd-cgroup", 0, OptionKind::Flag, {}, "let systemd make the cgroups"},
    {"rootless", 0, OptionKind::Value, "WHEN",
     "do without cgroups that are not permitted: true, false, auto"},
    {"trace", 0, OptionKind::Value, "FILE", "append the command's phases and their times to FILE"},
    {"version", 'v', OptionKind::Flag, {}, "print the version"},
};

std::string version_text() {
  return std::string("wherry version " WHERRY_VERSION "\nspec: ") + oci::kSpecVersion + '\n';
}

std::string overview() {
  std::string out =
      "wherry runs containers as the Open Container Initiative defines them, native programs\n"
      "and WebAssembly alike.\n\n"
      "Usage: wherry [options] <command> [command options] [arguments]\n\nCommands:\n";
  for (const Command* command : kCommands) {
    out += "  " + std::string(command->name);
    out += std::string(std::max<std::size_t>(12, command->name.size() + 2) - command->name.size(),
                       ' ');
    out += std::string(command->summary) + '\n';
  }
  out += "\nOptions:\n" + describe_options(kGlobalOptions);
  return out + "\n\"wherry <command> --help\" explains one command.\n";
}

const Command* find_command(std::string_view name) {
  const auto at = std::ranges::find(kCommands, name, &Command::name);
  return at == kCommands.end() ? nullptr : *at;
}

base::Result<Globals> read_globals(const Arguments& arguments, Log& log,
                                   std::span<const std::string> command_line) {
  const std::string format = arguments.value("log-format").value_or("text");
  if (format != "text" && format != "json") {
    return base::fail(base::ErrorKind::Invalid, "unknown log-format \"" + format + '"');
  }
  const std::string log_path = arguments.value("log").value_or("");
  const bool debug = arguments.flag("debug");
  TRY(log.open(log_path, format == "json" ? LogFormat::Json : LogFormat::Text, debug));
  const std::string rootless = arguments.value("rootless").value_or("auto");
  if (rootless != "auto" && rootless != "true" && rootless != "false") {
    return base::fail(base::ErrorKind::Invalid,
                      "invalid value \"" + rootless + "\" for -rootless: not true, false or auto");
  }
  const std::string default_root =
      state::default_root(namespaces::is_host_root(), std::getenv("XDG_RUNTIME_DIR"));
  const auto given_root = arguments.value("root");
  std::string root = TRY(absolute_path(given_root.value_or(default_root)));
  Globals out{state::Store(std::move(root)),
              !given_root,
              arguments.flag("systemd-cgroup"),
              {},
              debug,
              log_path,
              command_line,
              nullptr};
  if (rootless != "auto") out.rootless = rootless == "true";
  return out;
}

base::Result<void> check_count(const Command& command, const Arguments& arguments) {
  const std::size_t count = arguments.positional().size();
  if (count >= command.least_arguments && count <= command.most_arguments) return {};
  std::string wanted = std::to_string(command.least_arguments);
  if (command.most_arguments == command.least_arguments) {
    wanted = "exactly " + wanted;
  } else if (count < command.least_arguments) {
    wanted = "a minimum of " + wanted;
  } else {
    wanted = "a maximum of " + std::to_string(command.most_arguments);
  }
  return base::fail(base::ErrorKind::Invalid,
                    '"' + std::string(command.name) + "\" requires " + wanted + " argument(s)");
}

base::Result<int> run_command(const Command& command, const Globals& globals, const Log& log,
                              std::span<const std::string> words) {
  const Arguments arguments = TRY(parse_arguments(command.options, words, command.reading));
  if (arguments.flag("help")) {
    print(describe_command(command));
    return 0;
  }
  TRY(check_count(command, arguments));
  if (command.enters_containers) TRY(workload::seal_self(globals.command_line));
  return command.run({globals, log, arguments});
}

/// "--trace FILE", else WHERRY_TRACE; empty: no trace.
std::string trace_path(const Arguments& arguments) {
  if (const auto path = arguments.value("trace")) return *path;
  const char* path = std::getenv("WHERRY_TRACE");
  return path == nullptr ? "" : path;
}

base::Result<void> write_trace(const std::string& path, const trace::Recorder& recorder,
                               const std::string& container) {
  const char* const caller = std::getenv("TRACEPARENT");
  const auto context = trace::parse_traceparent(caller == nullptr ? "" : caller);
  const base::UniqueFd file =
      TRY(base::open_file(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY, 0600));
  return base::write_all(
      file.get(),
      trace::to_json(recorder,
                     trace::identify(recorder, context.value_or(trace::make_context()), container)),
      path);
}

/// run_command, with a trace if one is wanted.
base::Result<int> run_traced(const Command& command, Globals& globals, const Log& log,
                             std::span<const std::string> words, const std::string& path) {
  if (path.empty()) return run_command(command, globals, log, words);
  trace::Recorder recorder;
  globals.recorder = &recorder;
  base::Result<int> status = trace::phase(
      &recorder, command.name, [&] { return run_command(command, globals, log, words); });
  globals.recorder = nullptr;
  const auto arguments = parse_arguments(command.options, words, command.reading);
  const bool has_container = command.synopsis.starts_with("<container-id>") && arguments &&
                             !arguments->positional().empty();
  const base::Result<void> written =
      write_trace(path, recorder, has_container ? arguments->positional().front() : "");
  if (!written) log.warning("trace: " + written.error().message());
  return status;
}

int report(const Log& log, const base::Error& error, int status) {
  log.error(error.message());
  return status;
}

int run(std::span<const std::string> command_line) {
  Log log;
  const auto arguments =
      parse_arguments(kGlobalOptions, command_line.subspan(1), Reading::StopAtPositional);
  if (!arguments) return report(log, arguments.error(), 1);
  const std::vector<std::string>& rest = arguments->positional();
  if (arguments->flag("version")) {
    print(version_text());
    return 0;
  }
  if (arguments->flag("help") || rest.empty() || (rest[0] == "help" && rest.size() == 1)) {
    print(overview());
    return 0;
  }
  const bool wants_help = rest[0] == "help";
  const std::string& name = wants_help ? rest[1] : rest[0];
  auto globals = read_globals(*arguments, log, command_line);
  if (!globals) return report(log, globals.error(), 1);
  const Command* command = find_command(name);
  if (command == nullptr) {
    log.error("No help topic for '" + name + "': no such command");
    return 1;
  }
  if (wants_help) {
    print(describe_command(*command));
    return 0;
  }
  log.debug("command " + name);
  const auto status =
      run_traced(*command, *globals, log, std::span(rest).subspan(1), trace_path(*arguments));
  if (!status) return report(log, status.error(), command->failure_status);
  return *status;
}

}  // namespace
}  // namespace runtime::cli

int main(int argc, char** argv) {
  std::vector<std::string> command_line(argv, argv + argc);
  if (command_line.empty()) command_line.emplace_back("wherry");  // execve(2) allows it
  return runtime::cli::run(command_line);
}
