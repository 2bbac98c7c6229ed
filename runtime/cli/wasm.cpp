// wherry wasm run: a WASI command without a container.
#include <fcntl.h>
#include <unistd.h>

#include "base/file.hpp"
#include "engine/programs/control_block.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/module_argument.hpp"
#include "runtime/process/listeners.hpp"
#include "runtime/workload/programs.hpp"

namespace runtime::cli {
namespace {

constexpr Option kRunOptions[] = {
    {"dir", 0, OptionKind::List, "HOST[::GUEST][:ro]", "let the guest use a directory"},
    {"env", 0, OptionKind::List, "NAME[=VALUE]", "set a variable, or pass the host's"},
    {"tcplisten", 0, OptionKind::List, "ADDRESS:PORT",
     "give the guest a listening socket as descriptor 3, 4, ..."},
    {"net", 0, OptionKind::Flag, {}, "let the guest make sockets and resolve names"},
    {"sockets", 0, OptionKind::Value, "RULES",
     "the same within rules: \"deny 10.0.0.0/8, deny unix\""},
    {"quiet", 'q', OptionKind::Flag, {}, "show no progress when it has to be compiled"},
};

struct Directory {
  std::string host;
  std::string guest;
  bool read_only = false;
};

base::Result<Directory> parse_directory(std::string text) {
  Directory out;
  if (text.ends_with(":ro")) {
    out.read_only = true;
    text.resize(text.size() - 3);
  }
  const std::size_t colons = text.find("::");
  out.host = text.substr(0, colons);
  out.guest = colons == std::string::npos ? out.host : text.substr(colons + 2);
  if (out.host.empty() || out.guest.empty()) {
    return base::fail(base::ErrorKind::Invalid, "--dir " + text + ": expected HOST[::GUEST][:ro]");
  }
  return out;
}

/// The guest starts with nothing of the host's environment but what is named.
std::vector<std::string> environment(const std::vector<std::string>& given) {
  std::vector<std::string> out;
  for (const std::string& variable : given) {
    if (variable.contains('=')) {
      out.push_back(variable);
    } else if (const char* value = std::getenv(variable.c_str())) {
      out.push_back(variable + "=" + value);
    }
  }
  return out;
}

base::Result<std::string> socket_rules(const Arguments& arguments) {
  std::string rules = arguments.value("sockets").value_or(arguments.flag("net") ? "" : "none");
  TRY(base::with_context(engine::programs::check_socket_rules(rules), "--sockets"));
  return rules;
}

/// Descriptors of the block have to outlive execve.
base::Result<int> keep_open(base::UniqueFd fd) {
  if (::fcntl(fd.get(), F_SETFD, 0) != 0) return base::fail_errno("fcntl", "F_SETFD");
  return fd.release();
}

/// Those of socket activation (sd_listen_fds(3)), then those of the command line.
base::Result<std::vector<int>> listening_sockets(const std::vector<std::string>& addresses) {
  std::vector<int> out;
  const char* pid = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  if (pid != nullptr && count != nullptr && std::atoi(pid) == ::getpid()) {
    for (int fd = 3; fd < 3 + std::atoi(count); ++fd) {
      if (::fcntl(fd, F_GETFD) < 0) {
        return base::fail_errno("fcntl", "LISTEN_FDS: descriptor " + std::to_string(fd));
      }
      out.push_back(TRY(keep_open(base::UniqueFd(fd))));
    }
  }
  for (const std::string& address : addresses) {
    const process::ListenAddress parsed =
        TRY(base::with_context(process::parse_listener("tcp:" + address), "--tcplisten"));
    base::UniqueFd socket = TRY(process::open_listener(parsed, {}));
    out.push_back(TRY(keep_open(std::move(socket))));
  }
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

base::Result<int> execute(int control, const std::vector<std::string>& guest_arguments,
                          std::vector<std::string> variables) {
  const std::string program = TRY(workload::program_beside("wherry-exec"));
  std::vector<std::string> words = {"wherry-exec", "--control=" + std::to_string(control), "--"};
  words.insert(words.end(), guest_arguments.begin(), guest_arguments.end());
  ::execve(program.c_str(), pointers(words).data(), pointers(variables).data());
  return base::fail_errno("execve", program);
}

base::Result<int> run_module(const Invocation& invocation, const Arguments& arguments) {
  if (arguments.positional().empty()) {
    return base::fail(base::ErrorKind::Invalid, "\"wasm run\" requires a module's file");
  }
  const std::string& path = arguments.positional().front();
  engine::programs::ControlBlock block;
  block.module_name = path;
  for (const std::string& text : arguments.list("dir")) {
    const Directory directory = TRY(parse_directory(text));
    base::UniqueFd fd = TRY(base::open_file(directory.host, O_PATH | O_DIRECTORY));
    block.preopens.push_back({TRY(keep_open(std::move(fd))), directory.read_only, directory.guest});
  }
  block.socket_rules = TRY(socket_rules(arguments));
  block.sockets = TRY(listening_sockets(arguments.list("tcplisten")));
  {
    const base::UniqueFd module = TRY(open_module(path));
    const auto progress = arguments.flag("quiet") ? engine::cache::Progress() : show_progress(path);
    auto obtained = TRY(obtain_artifact(path, module.get(), invocation.log, progress));
    block.artifact = TRY(keep_open(std::move(obtained.artifact)));
  }
  base::UniqueFd control = TRY(engine::programs::write_control_block(block));
  return execute(TRY(keep_open(std::move(control))), arguments.positional(),
                 environment(arguments.list("env")));
}

base::Result<int> run(const Invocation& invocation) {
  const std::vector<std::string>& words = invocation.arguments.positional();
  if (words.front() != "run") {
    return base::fail(base::ErrorKind::Invalid, "no such command: wasm " + words.front());
  }
  const Arguments arguments =
      TRY(parse_arguments(kRunOptions, std::span(words).subspan(1), Reading::StopAtPositional));
  if (arguments.flag("help")) {
    print(describe_command(kWasm) + "\nOptions of run:\n" + describe_options(kRunOptions));
    return 0;
  }
  return run_module(invocation, arguments);
}

}  // namespace

constinit const Command kWasm{
    .name = "wasm",
    .synopsis = "run [options] <module.wasm> [arguments]",
    .summary = "run a WebAssembly module without a container",
    .description =
        "Runs a WASI command in this process: compiled before its first start, afterwards from\n"
        "the cache. It sees the directories and variables that are named, no network but with "
        "--net,\n"
        "and nothing else. Exit status: the guest's own, 134 after a trap, 1 when it could not be\n"
        "started.\n\n"
        "    wherry wasm run --dir data::/data --env LANG=C app.wasm --verbose",
    .least_arguments = 1,
    .most_arguments = kAnyNumber,
    .reading = Reading::StopAtPositional,
    .run = run,
};

}  // namespace runtime::cli
