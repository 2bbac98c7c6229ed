// wherry-exec: maps an artifact and runs it as a WASI command, in a container as its PID 1:
// docs/formats/exec-control.md. It never compiles, and opens no path before the guest runs but the
// container's root.
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <cstring>
#include <string>
#include <string_view>

#include "base/descriptor_passing.hpp"
#include "base/file.hpp"
#include "engine/execution/instance.hpp"
#include "engine/execution/linker.hpp"
#include "engine/execution/loaded_module.hpp"
#include "engine/execution/store.hpp"
#include "engine/programs/control_block.hpp"
#include "engine/programs/process_one.hpp"
#include "engine/programs/thread_group.hpp"
#include "engine/wasi/functions.hpp"
#include "engine/wasi/wasi_context.hpp"

extern char** environ;

namespace {

using engine::programs::ControlBlock;

constexpr int kNotStarted = 1;

void complain(std::string_view text) {
  static_cast<void>(base::write_all(2, text, "standard error"));
}

struct CommandLine {
  int control = -1;
  char** arguments = nullptr;  // the guest's, null at the end
  int count = 0;
};

base::Result<CommandLine> parse_command_line(int argc, char** argv) {
  constexpr std::string_view kOption = "--control=";
  const std::string_view option = argc > 3 ? argv[1] : "";
  CommandLine out;
  if (!option.starts_with(kOption) || std::string_view(argv[2]) != "--") {
    return base::fail(base::ErrorKind::Invalid,
                      "wherry-exec is started by wherry, with --control=N -- ARGUMENT...");
  }
  const std::string_view number = option.substr(kOption.size());
  if (std::from_chars(number.data(), number.data() + number.size(), out.control).ec !=
      std::errc{}) {
    return base::fail(base::ErrorKind::Invalid, "not a number: " + std::string(option));
  }
  out.arguments = argv + 3;
  out.count = argc - 3;
  return out;
}

base::Result<ControlBlock> read_control_block(int fd) {
  const base::UniqueFd file(fd);
  const std::string text = TRY(base::read_all(fd, engine::programs::kMaxControlBlock, "control"));
  return engine::programs::parse_control_block(std::as_bytes(std::span(text)));
}

/// Waits until the compiler's supervisor sends the artifact.
base::Result<base::UniqueFd> receive_artifact(const base::UniqueFd& socket) {
  std::array<char, 4096> text{};
  auto message = TRY(base::receive_with_descriptor(socket.get(), text, "compiler's supervisor"));
  if (message.size == 0) {
    return base::fail(base::ErrorKind::Internal, "the compiler's supervisor died");
  }
  if (text[0] == 0 && message.descriptor) return std::move(message.descriptor);
  return base::fail(base::ErrorKind::Invalid, std::string(text.data() + 1, message.size - 1));
}

base::Result<std::shared_ptr<engine::execution::LoadedModule>> load(const ControlBlock& block) {
  const base::UniqueFd broker(block.broker);
  base::UniqueFd artifact(block.artifact);
  if (!artifact) artifact = TRY(receive_artifact(broker));
  return engine::execution::LoadedModule::load(std::move(artifact), block.module_name);
}

base::UniqueFd duplicate(int fd) { return base::UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

/// The root, and the working directory where it is another one: C libraries resolve relative paths
/// beneath ".", Go by PWD.
base::Result<void> add_container_directories(engine::wasi::WasiOptions& options) {
  using engine::wasi::Sandbox;
  options.preopens.push_back(
      {TRY(base::open_file("/", O_PATH | O_DIRECTORY)), "/", Sandbox::InRoot, false});
  std::array<char, PATH_MAX> cwd{};
  if (::getcwd(cwd.data(), cwd.size()) == nullptr) return base::fail_errno("getcwd", ".");
  if (std::string_view(cwd.data()) == "/") return {};
  options.preopens.push_back(
      {TRY(base::open_file(".", O_PATH | O_DIRECTORY)), ".", Sandbox::Beneath, false});
  const auto has_pwd = std::ranges::any_of(options.environment, [](const std::string& variable) {
    return variable.starts_with("PWD=");
  });
  if (!has_pwd) options.environment.push_back("PWD=" + std::string(cwd.data()));
  return {};
}

/// The guest learns of them as sd_listen_fds(3) says, but for LISTEN_PID: it has no process id.
/// Non-blocking, because Go's runtime waits in poll_oneoff for those alone.
void add_sockets(engine::wasi::WasiOptions& options, const std::vector<int>& sockets) {
  std::erase_if(options.environment, [](const std::string& variable) {
    return variable.starts_with("LISTEN_FDS=") || variable.starts_with("LISTEN_PID=");
  });
  if (sockets.empty()) return;
  options.environment.push_back("LISTEN_FDS=" + std::to_string(sockets.size()));
  for (const int socket : sockets) {
    const int flags = ::fcntl(socket, F_GETFL);
    if (flags >= 0) static_cast<void>(::fcntl(socket, F_SETFL, flags | O_NONBLOCK));
    options.inherited.emplace_back(socket);
  }
}

base::Result<engine::wasi::WasiContext> make_context(const ControlBlock& block,
                                                     const CommandLine& line) {
  engine::wasi::WasiOptions options;
  options.arguments.assign(line.arguments, line.arguments + line.count);
  for (char** variable = environ; *variable != nullptr; ++variable) {
    options.environment.emplace_back(*variable);
  }
  add_sockets(options, block.sockets);
  for (int fd = 0; fd < 3; ++fd) options.stdio[static_cast<std::size_t>(fd)] = duplicate(fd);
  options.sockets =
      TRY(base::with_context(engine::wasi::SocketPolicy::parse(block.socket_rules), "sockets"));
  if (block.is_container) TRY(add_container_directories(options));
  for (const engine::programs::ControlPreopen& preopen : block.preopens) {
    options.preopens.push_back({base::UniqueFd(preopen.directory), preopen.guest_path,
                                engine::wasi::Sandbox::Beneath, preopen.read_only});
  }
  options.memory_of = engine::execution::guest_memory;
  options.exit = [](void*, std::uint32_t code) { ::_exit(static_cast<int>(code & 0xff)); };
  return engine::wasi::make_context(std::move(options));
}

base::Result<void> confine(const ControlBlock& block) {
  if (!block.confine) return {};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return base::fail_errno("prctl", "PR_SET_NO_NEW_PRIVS");
  }
  if (block.filter.empty()) return {};
  sock_fprog program{static_cast<unsigned short>(block.filter.size()),
                     const_cast<sock_filter*>(block.filter.data())};
  // Safety: glibc has no wrapper; the arguments are those of seccomp(2). The filter is not written.
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, block.filter_flags, &program) != 0) {
    return base::fail_errno("seccomp", "container's filter");
  }
  return {};
}

int report_failure(const std::string& text) {
  complain("wherry-exec: " + text + "\n");
  return kNotStarted;
}

int run(const ControlBlock& block, const CommandLine& line) {
  // Before anything that takes long: a compile may be under way, and SIGTERM must end the wait.
  if (auto done = engine::programs::take_over_signals(); !done) {
    return report_failure(done.error().message());
  }
  auto module = load(block);
  if (!module) return report_failure(module.error().message());
  auto context = make_context(block, line);
  if (!context) return report_failure(context.error().message());
  auto store = engine::execution::Store::create();
  if (!store) return report_failure(store.error().message());
  engine::execution::Linker linker;
  engine::wasi::for_each_function([&](auto name_space, auto name, auto entry) {
    linker.add_function(name_space, name, entry, &*context);
  });
  engine::programs::ThreadGroup threads(*module);
  if (auto done = threads.define(linker, **store); !done) {
    return report_failure(block.module_name + ": " + done.error().message());
  }
  // From here on the guest may run: a start function is guest code.
  if (auto done = confine(block); !done) return report_failure(done.error().message());
  const auto instance = engine::execution::Instance::instantiate(**store, *module, linker);
  if (!instance) {
    if (instance.error().trap) threads.end_with_trap(*instance.error().trap);
    return report_failure(block.module_name + ": " + instance.error().error.message());
  }
  (*module)->close_file();
  threads.open();
  const auto result = (*instance)->call("_start", {});
  if (!result) return report_failure(block.module_name + ": exports no function _start");
  if (!*result) threads.end_with_trap(result->error());
  threads.end(0, {});  // and not a return: other threads still use what lies here
}

}  // namespace

int main(int argc, char** argv) {
  const base::Result<CommandLine> line = parse_command_line(argc, argv);
  if (!line) return report_failure(line.error().message());
  const base::Result<ControlBlock> block = read_control_block(line->control);
  if (!block) return report_failure(block.error().message());
  engine::programs::show_arguments(argv, line->count);
  ::_exit(run(*block, *line));  // nothing of a guest is worth an orderly end
}
