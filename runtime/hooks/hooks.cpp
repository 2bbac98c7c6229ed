// A hook is a child with the state JSON on stdin. Its output is kept for the error message only.
#include "runtime/hooks/hooks.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <optional>

#include "base/file.hpp"
#include "base/unique_fd.hpp"

namespace runtime::hooks {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kTail = 2048;  // of the output, for the error
constexpr int kCannotExecute = 127;

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  // execve(2) does not write to the strings; its type is older than const.
  for (const std::string& each : strings) out.push_back(const_cast<char*>(each.c_str()));
  out.push_back(nullptr);
  return out;
}

// A file rather than a pipe: it never blocks the writer, raises no SIGPIPE when the hook does not
// read, and can be opened again as /dev/stdin.
base::Result<base::UniqueFd> file_with(std::string_view text) {
  base::UniqueFd file(::memfd_create("state", MFD_CLOEXEC));
  if (!file) return base::fail_errno("memfd_create");
  TRY(base::write_all(file.get(), text, "hook state"));
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return base::fail_errno("lseek");
  return file;
}

struct Pipe {
  base::UniqueFd read_end;
  base::UniqueFd write_end;
};

base::Result<Pipe> make_pipe(int flags) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | flags) != 0) return base::fail_errno("pipe2");
  return Pipe{base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

// Child side of fork: only async-signal-safe calls.
struct Launch {
  const char* path;
  char* const* args;
  char* const* env;
  int input;
  int output;
  int exec_error;  // errno of a failed execve is written here

  [[noreturn]] void run() const {
    ::setpgid(0, 0);  // so that a timeout reaches what the hook started
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::dup2(input, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    ::syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
    ::execve(path, args, env);
    const int error = errno;
    (void)!::write(exec_error, &error, sizeof(error));
    ::_exit(kCannotExecute);
  }
};

// The last bytes of what the hook wrote, on one line.
class Tail {
 public:
  void read_available(int fd) {
    std::array<char, 4096> chunk{};
    for (;;) {
      const ssize_t count = ::read(fd, chunk.data(), chunk.size());
      if (count <= 0) return;
      text_.append(chunk.data(), static_cast<std::size_t>(count));
      if (text_.size() > kTail) text_.erase(0, text_.size() - kTail);
    }
  }
  std::string one_line() const {
    std::string out;
    for (const char c : text_) {
      if (c != '\n' && c != '\r') {
        out += c;
      } else if (!out.empty() && out.back() != ' ') {
        out += ' ';
      }
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
  }

 private:
  std::string text_;
};

// Waits for the end of the hook while reading what it writes. Only the hook's own end counts: what
// it left in the background may keep the pipe open. False when the time is over.
bool wait_for_end(int pidfd, int output, std::optional<Clock::time_point> end, Tail& tail) {
  std::array<pollfd, 2> watched{{{pidfd, POLLIN, 0}, {output, POLLIN, 0}}};
  for (;;) {
    int patience = -1;
    if (end) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*end - Clock::now()).count();
      if (left <= 0) return false;
      patience = static_cast<int>(left);
    }
    if (::poll(watched.data(), watched.size(), patience) < 0 && errno != EINTR) return true;
    if (watched[1].revents != 0) tail.read_available(output);
    if ((watched[1].revents & (POLLHUP | POLLERR)) != 0) watched[1].fd = -1;
    if (watched[0].revents != 0) return true;
  }
}

std::string describe(int status) {
  if (WIFSIGNALED(status)) return "killed by signal " + std::to_string(WTERMSIG(status));
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

struct Outcome {
  std::string what;  // empty: success
  Tail tail;
};

Outcome wait_for(pid_t pid, const oci::Hook& hook, int output) {
  Outcome outcome;
  std::optional<Clock::time_point> end;
  if (hook.timeout) end = Clock::now() + std::chrono::seconds(*hook.timeout);
  // Safety: pidfd_open(2) touches no memory; the child is ours and not reaped yet.
  const base::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const bool ended = !pidfd || wait_for_end(pidfd.get(), output, end, outcome.tail);
  if (!ended) ::kill(-pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  outcome.tail.read_available(output);
  if (!ended) {
    outcome.what = "no end after " + std::to_string(*hook.timeout) + " s";
  } else if (status != 0) {
    outcome.what = describe(status);
  }
  return outcome;
}

base::Result<void> run_one(const oci::Hook& hook, std::string_view state_json) {
  const base::UniqueFd input = TRY(file_with(state_json));
  const Pipe output = TRY(make_pipe(O_NONBLOCK));
  Pipe exec_error = TRY(make_pipe(0));
  const std::vector<std::string> args =
      hook.args.empty() ? std::vector<std::string>{hook.path} : hook.args;
  const std::vector<char*> arg_pointers = pointers(args);
  const std::vector<char*> env_pointers = pointers(hook.env);
  const Launch launch{
      hook.path.c_str(), arg_pointers.data(),    hook.env.empty() ? environ : env_pointers.data(),
      input.get(),       output.write_end.get(), exec_error.write_end.get()};
  const pid_t pid = ::fork();
  if (pid < 0) return base::fail_errno("fork");
  if (pid == 0) launch.run();
  exec_error.write_end.reset();
  // Ends at once: the write end is closed by execve, or by the child's end.
  int exec_errno = 0;
  const bool executed = ::read(exec_error.read_end.get(), &exec_errno, sizeof(exec_errno)) == 0;
  const Outcome outcome = wait_for(pid, hook, output.read_end.get());
  if (!executed) return std::unexpected(base::Error("execve", hook.path, exec_errno));
  if (outcome.what.empty()) return {};
  const std::string said = outcome.tail.one_line();
  return base::fail(base::ErrorKind::Invalid,
                    hook.path + ": " + outcome.what + (said.empty() ? "" : ": " + said));
}

}  // namespace

base::Result<void> run(std::string_view kind, std::span<const oci::Hook> list,
                       std::string_view state_json) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string step = "error running " + std::string(kind) + " hook #" + std::to_string(i);
    TRY(base::with_context(run_one(list[i], state_json), step));
  }
  return {};
}

std::vector<std::string> run_all(std::string_view kind, std::span<const oci::Hook> list,
                                 std::string_view state_json) {
  std::vector<std::string> warnings;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string step = "error running " + std::string(kind) + " hook #" + std::to_string(i);
    const auto done = base::with_context(run_one(list[i], state_json), step);
    if (!done) warnings.push_back(done.error().message());
  }
  return warnings;
}

}  // namespace runtime::hooks
