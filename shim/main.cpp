// containerd-shim-wherry-v2: docs/formats/shim-bootstrap.md. `start` makes the pod's shim or finds
// it, `delete` cleans up after one that died; without an action it serves.
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "runtime/workload/sealed_self.hpp"
#include "shim/bootstrap/answer.hpp"
#include "shim/bootstrap/command_line.hpp"
#include "shim/bootstrap/info.hpp"
#include "shim/bootstrap/options.hpp"
#include "shim/bootstrap/socket.hpp"
#include "shim/bootstrap/start_input.hpp"
#include "shim/protocol/codec.hpp"
#include "shim/protocol/task.hpp"
#include "shim/service/bundle_notes.hpp"
#include "shim/service/choose_runtime.hpp"
#include "shim/service/daemon.hpp"
#include "shim/service/pause.hpp"
#include "shim/service/runtime_calls.hpp"
#include "shim/service/sandbox_spec.hpp"
#include "shim/service/serve.hpp"

namespace {

using shim::bootstrap::CommandLine;

constexpr char kEventsVariable[] = "TTRPC_ADDRESS";
constexpr std::uint32_t kKilled = 128 + SIGKILL;

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

base::Result<void> print(std::string_view text) {
  return base::write_all(STDOUT_FILENO, text, "standard output");
}

base::Result<std::string> working_directory() {
  std::error_code error;
  std::string path = std::filesystem::current_path(error);
  if (error) return std::unexpected(base::Error("getcwd", {}, error.value()));
  return path;
}

/// Serves until its end. The socket's name comes by the flag -socket.
base::Result<void> serve(const CommandLine& line, std::span<const std::string> words) {
  TRY(runtime::workload::seal_self(words));
  ::signal(SIGPIPE, SIG_IGN);
  return shim::service::serve(base::UniqueFd(shim::service::kListenerFd),
                              {line.name_space, environment(kEventsVariable), line.socket});
}

/// In the child of `start`: executes this program again, to serve.
base::Result<void> run_server(const CommandLine& line, base::UniqueFd listener,
                              const shim::service::DaemonOptions& options,
                              const std::string& socket, const std::string& program) {
  TRY(shim::service::become_daemon(std::move(listener), options));
  const std::vector<std::string> words = {program,    "-namespace", line.name_space, "-id", line.id,
                                          "-address", line.address, "-socket",       socket};
  return runtime::workload::seal_self(words);
}

base::Result<void> start(CommandLine line, const std::string& program) {
  const std::string bundle = TRY(working_directory());
  const std::string text = TRY(shim::bootstrap::read_standard_input(STDIN_FILENO));
  const auto input = TRY(shim::bootstrap::parse_start_input(text, line));
  const auto options = TRY(shim::bootstrap::read_options(input.options));
  if (input.params && !input.params->containerd_grpc_address.empty()) {
    line.address = input.params->containerd_grpc_address;
  }
  if (input.params && !input.params->containerd_ttrpc_address.empty()) {
    ::setenv(kEventsVariable, input.params->containerd_ttrpc_address.c_str(), 1);
  }
  const bool has_directory = input.params && !input.params->socket_dir.empty();
  const std::string directory =
      has_directory ? input.params->socket_dir : std::string(shim::bootstrap::kSocketDirectory);
  const std::string group = TRY(shim::bootstrap::grouping(bundle, line.id));
  const std::string socket =
      TRY(shim::bootstrap::socket_path(directory, line.address, line.name_space, group));
  // For a sandbox, whose calls do not have them.
  TRY(shim::service::remember_options(bundle, options.runc));
  const auto dialect =
      shim::bootstrap::choose_dialect(input, options, environment("WHERRY_SHIM_VERSION"));
  // First: a start that is killed from here on leaves a socket for `delete` to find.
  TRY(shim::service::remember_socket(bundle, socket));
  std::optional<base::UniqueFd> listener = TRY(shim::bootstrap::claim_socket(socket));
  if (shim::bootstrap::needs_address_file(dialect)) {
    TRY(shim::bootstrap::write_address_file(bundle, socket));
  }
  if (listener) {
    const pid_t pid = ::fork();
    if (pid < 0) return base::fail_errno("fork");
    if (pid == 0) {
      const auto failed = run_server(line, std::move(*listener), {bundle, options.runc.shim_cgroup},
                                     socket, program);
      ::_exit(failed ? 0 : 1);
    }
  }
  return print(shim::bootstrap::start_answer(dialect, socket));
}

base::Result<void> remove(const CommandLine& line) {
  const std::string bundle = line.bundle.empty() ? TRY(working_directory()) : line.bundle;
  const auto runtime =
      TRY(shim::service::choose_runtime(shim::service::recall_options(bundle), line.name_space));
  const auto pid = static_cast<std::uint32_t>(shim::service::recall_init(bundle));
  TRY(shim::service::remove(*runtime, line.id, bundle));
  // The name that a dead shim left; whoever gets it is alone with it.
  if (const std::string socket = shim::service::recall_socket(bundle); !socket.empty()) {
    const auto claimed = TRY(shim::bootstrap::claim_socket(socket));
    if (claimed)
      static_cast<void>(TRY(shim::bootstrap::retire_socket(socket, [] { return false; })));
  }
  return print(
      shim::protocol::encode(shim::protocol::DeleteResponse{pid, kKilled, shim::protocol::now()}));
}

base::Result<void> run(std::span<const std::string> words) {
  const std::vector<std::string_view> arguments(words.begin() + 1, words.end());
  const CommandLine line = TRY(shim::bootstrap::parse_command_line(arguments));
  switch (line.action) {
    case shim::bootstrap::Action::Start:
      return base::with_context(start(line, words.front()), "start");
    case shim::bootstrap::Action::Delete:
      return base::with_context(remove(line), "delete");
    case shim::bootstrap::Action::Info:
      return print(shim::bootstrap::runtime_info(WHERRY_VERSION));
    case shim::bootstrap::Action::Version:
      return print(shim::bootstrap::version_text(WHERRY_VERSION));
    case shim::bootstrap::Action::None:
      break;
  }
  return serve(line, words);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv, argv + argc);
  if (!words.empty() && words.front() == shim::service::kPauseName) shim::service::pause();
  if (words.empty()) words.emplace_back("containerd-shim-wherry-v2");  // execve(2) allows it
  const base::Result<void> done = run(words);
  if (done) return 0;
  // containerd takes all output of a failed start for the error's text.
  const std::string text = "containerd-shim-wherry-v2: " + done.error().message() + "\n";
  static_cast<void>(base::write_all(STDERR_FILENO, text, "standard error"));
  return 1;
}
