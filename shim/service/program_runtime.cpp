#include "shim/service/program_runtime.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/descriptor_passing.hpp"
#include "base/file.hpp"
#include "oci/json/document.hpp"
#include "runtime/cgroup/host.hpp"

namespace shim::service {
namespace {

constexpr std::size_t kMaxLog = std::size_t{1} << 20;
constexpr std::size_t kMaxProc = std::size_t{1} << 20;
constexpr std::size_t kMaxNumber = 32;
/// Where runc's own shim keeps its state.
constexpr char kDefaultRoot[] = "/run/containerd/runc";

/// Takes the terminal's master from the program.
class ConsoleSocket {
 public:
  static base::Result<ConsoleSocket> make() {
    std::string directory = "/tmp/wherry-pty.XXXXXX";
    if (::mkdtemp(directory.data()) == nullptr) return base::fail_errno("mkdtemp", directory);
    ConsoleSocket out(std::move(directory));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, out.path().data(), out.path().size());
    out.listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // Safety: the sockets API takes every kind of address as a sockaddr.
    if (!out.listener_ ||
        ::bind(out.listener_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) != 0 ||
        ::listen(out.listener_.get(), 1) != 0) {
      return base::fail_errno("bind", out.path());
    }
    return out;
  }
  ConsoleSocket(ConsoleSocket&& other) noexcept = default;
  ConsoleSocket& operator=(ConsoleSocket&&) = delete;
  ~ConsoleSocket() {
    std::error_code ignored;
    if (listener_) std::filesystem::remove_all(directory_, ignored);
  }

  std::string path() const { return directory_ + "/pty.sock"; }

  /// When the program has ended: what it sent is there.
  base::Result<base::UniqueFd> receive() const {
    const base::UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!peer) return base::fail_errno("accept4", path());
    std::array<char, 4096> name;
    return std::move(TRY(base::receive_with_descriptor(peer.get(), name, path())).descriptor);
  }

 private:
  explicit ConsoleSocket(std::string directory) : directory_(std::move(directory)) {}

  std::string directory_;
  base::UniqueFd listener_;
};

struct Destroy {
  void operator()(posix_spawn_file_actions_t* actions) const {
    ::posix_spawn_file_actions_destroy(actions);
  }
  void operator()(posix_spawnattr_t* attributes) const { ::posix_spawnattr_destroy(attributes); }
};

/// The exit status; 128 + n for a signal.
base::Result<int> spawn_and_wait(std::vector<std::string>& words, int log, int input) {
  posix_spawn_file_actions_t storage;
  ::posix_spawn_file_actions_init(&storage);
  const std::unique_ptr<posix_spawn_file_actions_t, Destroy> actions(&storage);
  ::posix_spawn_file_actions_adddup2(&storage, log, log);  // takes its close-on-exec away
  if (input >= 0) {
    ::posix_spawn_file_actions_adddup2(&storage, input, STDIN_FILENO);
    ::posix_spawn_file_actions_addopen(&storage, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&storage, STDOUT_FILENO, STDERR_FILENO);
  }
  posix_spawnattr_t attributes_storage;
  ::posix_spawnattr_init(&attributes_storage);
  const std::unique_ptr<posix_spawnattr_t, Destroy> attributes(&attributes_storage);
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGPIPE);  // which the shim ignores, and the container's process would too
  ::posix_spawnattr_setsigdefault(&attributes_storage, &signals);
  ::posix_spawnattr_setflags(&attributes_storage, POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int failed = ::posix_spawnp(&pid, arguments.front(), &storage, &attributes_storage,
                                    arguments.data(), environ);
  if (failed != 0) return std::unexpected(base::Error("posix_spawn", words.front(), failed));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return base::fail_errno("waitpid", words.front());
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

base::Result<base::UniqueFd> make_memory_file(std::string_view text) {
  base::UniqueFd out(::memfd_create("shim", MFD_CLOEXEC));
  if (!out) return base::fail_errno("memfd_create");
  TRY(base::write_all(out.get(), text, "memfd"));
  if (::lseek(out.get(), 0, SEEK_SET) < 0) return base::fail_errno("lseek", "memfd");
  return out;
}

}  // namespace

std::string last_error(std::string_view log) {
  std::string out;
  while (!log.empty()) {
    const std::string_view line = log.substr(0, log.find('\n'));
    log.remove_prefix(std::min(line.size() + 1, log.size()));
    const auto document = oci::json::Document::parse(line);
    if (!document) continue;
    const auto level = document->root().find("level");
    const auto message = document->root().find("msg");
    if (level && level->string() == "error" && message && message->string()) {
      out = *message->string();
    }
  }
  return out;
}

ProgramRuntime::ProgramRuntime(const protocol::RuncOptions& options, const std::string& name_space)
    : program_(options.binary_name),
      globals_{"--root", (options.root.empty() ? kDefaultRoot : options.root) + "/" + name_space},
      no_pivot_(options.no_pivot_root),
      no_new_keyring_(options.no_new_keyring) {
  if (options.systemd_cgroup) globals_.emplace_back("--systemd-cgroup");
}

base::Result<void> ProgramRuntime::run(std::vector<std::string> words,
                                       const base::UniqueFd& input) const {
  // Its standard error may be the container's: what it has to say comes by its log.
  const base::UniqueFd log = TRY(make_memory_file(""));
  std::vector<std::string> all{program_, "--log", "/proc/self/fd/" + std::to_string(log.get()),
                               "--log-format", "json"};
  all.insert(all.end(), globals_.begin(), globals_.end());
  all.insert(all.end(), words.begin(), words.end());
  const int status = TRY(spawn_and_wait(all, log.get(), input ? input.get() : -1));
  if (status == 0) return {};
  if (::lseek(log.get(), 0, SEEK_SET) < 0) return base::fail_errno("lseek", "log");
  const std::string text = TRY(base::read_all(log.get(), kMaxLog, "log"));
  const std::string message = last_error(text);
  return base::fail(base::ErrorKind::System,
                    program_ + " " + words.front() + ": " +
                        (message.empty() ? "status " + std::to_string(status) : message));
}

base::Result<void> ProgramRuntime::run_quietly(std::vector<std::string> words) const {
  return run(std::move(words), TRY(make_memory_file("")));
}

base::Result<StartedProcess> ProgramRuntime::run_to_start(std::vector<std::string> words,
                                                          const std::string& pid_file,
                                                          const std::string& id,
                                                          bool terminal) const {
  std::optional<ConsoleSocket> console;
  words.insert(words.end(), {"--pid-file", pid_file});
  if (terminal) {
    console.emplace(TRY(ConsoleSocket::make()));
    words.insert(words.end(), {"--console-socket", console->path()});
  }
  words.push_back(id);
  if (terminal) {
    TRY(run_quietly(std::move(words)));
  } else {
    TRY(run(std::move(words)));
  }
  StartedProcess out;
  const std::string text = TRY(base::read_file(pid_file, kMaxNumber));
  std::from_chars(text.data(), text.data() + text.size(), out.pid);
  if (console) out.terminal = TRY(console->receive());
  return out;
}

base::Result<StartedProcess> ProgramRuntime::create(const CreateCall& call) const {
  std::vector<std::string> words{"create", "--bundle", call.bundle};
  if (no_pivot_) words.emplace_back("--no-pivot");
  if (no_new_keyring_) words.emplace_back("--no-new-keyring");
  base::Result<StartedProcess> started =
      run_to_start(std::move(words), call.bundle + "/init.pid", call.id, call.terminal);
  // Some leave something of a create that failed.
  if (!started) static_cast<void>(remove(call.id));
  return started;
}

base::Result<void> ProgramRuntime::start(const std::string& id) const {
  return run_quietly({"start", id});
}

base::Result<StartedProcess> ProgramRuntime::exec(const ExecCall& call) const {
  const std::string file = call.bundle + "/" + call.exec_id;
  TRY(base::write_atomic(file + ".json", call.spec, 0600));
  base::Result<StartedProcess> started = run_to_start(
      {"exec", "--process", file + ".json", "--detach"}, file + ".pid", call.id, call.terminal);
  for (const char* each : {".json", ".pid"}) ::unlink((file + each).c_str());
  return started;
}

base::Result<void> ProgramRuntime::pause(const std::string& id) const {
  return run_quietly({"pause", id});
}

base::Result<void> ProgramRuntime::resume(const std::string& id) const {
  return run_quietly({"resume", id});
}

base::Result<void> ProgramRuntime::update(const std::string& id,
                                          const std::string& resources) const {
  return run({"update", "--resources", "/dev/stdin", id}, TRY(make_memory_file(resources)));
}

base::Result<void> ProgramRuntime::checkpoint(const CheckpointCall& call) const {
  const protocol::CheckpointOptions& asked = call.options;
  std::vector<std::string> words{"checkpoint", "--image-path", call.path};
  const auto add_if = [&](bool wanted, const char* flag) {
    if (wanted) words.emplace_back(flag);
  };
  add_if(!asked.exit, "--leave-running");
  add_if(asked.open_tcp, "--tcp-established");
  add_if(asked.external_unix_sockets, "--ext-unix-sk");
  add_if(asked.terminal, "--shell-job");
  add_if(asked.file_locks, "--file-locks");
  if (!asked.work_path.empty()) words.insert(words.end(), {"--work-path", asked.work_path});
  if (!asked.cgroups_mode.empty()) {
    words.insert(words.end(), {"--manage-cgroups-mode", asked.cgroups_mode});
  }
  words.push_back(call.id);
  return run_quietly(std::move(words));
}

base::Result<StartedProcess> ProgramRuntime::restore(const CreateCall& call,
                                                     const std::string& images) const {
  std::vector<std::string> words{"restore", "--detach", "--no-subreaper", "--image-path", images};
  words.insert(words.end(), {"--work-path", call.bundle, "--bundle", call.bundle});
  if (no_pivot_) words.emplace_back("--no-pivot");
  base::Result<StartedProcess> started =
      run_to_start(std::move(words), call.bundle + "/init.pid", call.id, call.terminal);
  if (!started) static_cast<void>(remove(call.id));
  return started;
}

base::Result<void> ProgramRuntime::remove(const std::string& id) const {
  return run_quietly({"delete", "--force", id});
}

base::Result<runtime::cgroup::Paths> ProgramRuntime::cgroup(const std::string&, pid_t init) const {
  const std::string own =
      TRY(base::read_file("/proc/" + std::to_string(init) + "/cgroup", kMaxProc));
  const std::string mounts = TRY(base::read_file("/proc/self/mountinfo", kMaxProc));
  const runtime::cgroup::Host host = TRY(runtime::cgroup::parse_host(mounts, own));
  runtime::cgroup::Paths out;
  for (const runtime::cgroup::Hierarchy& each : host.hierarchies) {
    const std::string path = each.mount_point + each.own_path;
    if (each.version == runtime::cgroup::Version::V2) {
      out[""] = path;
      continue;
    }
    for (const std::string& controller : each.controllers) out[controller] = path;
  }
  return out;
}

}  // namespace shim::service
