#include "runtime/container/foreground.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "base/file.hpp"

namespace runtime::container {
namespace {

/// The caller's terminal in raw mode, as long as this lives.
class RawTerminal {
 public:
  RawTerminal() {
    termios settings{};
    if (::tcgetattr(STDIN_FILENO, &settings) != 0) return;
    old_ = settings;
    ::cfmakeraw(&settings);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &settings);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal() {
    if (old_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &*old_);
  }

 private:
  std::optional<termios> old_;
};

void copy_size(int master) {
  winsize size{};
  if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) ::ioctl(master, TIOCSWINSZ, &size);
}

/// One read and its write. False: `from` has ended.
bool carry(int from, int to) {
  std::array<char, 16384> bytes;
  const ssize_t got = ::read(from, bytes.data(), bytes.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (got == 0) return false;
  return base::write_all(to, {bytes.data(), static_cast<std::size_t>(got)}, "terminal").has_value();
}

int exit_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Reaps all that ended; the child's exit status once it is among them.
std::optional<int> reap(pid_t child) {
  std::optional<int> out;
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid == child) out = exit_status(status);
  }
  return out;
}

/// Handles what the signal descriptor has; the exit status when the child has ended.
base::Result<std::optional<int>> take_signals(pid_t child, int signals, int master) {
  signalfd_siginfo info{};
  while (::read(signals, &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
    const int number = static_cast<int>(info.ssi_signo);
    if (number == SIGCHLD) {
      if (const auto status = reap(child)) return status;
    } else if (number == SIGWINCH && master >= 0) {
      copy_size(master);
    } else {
      ::kill(child, number);
    }
  }
  return std::nullopt;
}

/// What the container wrote before it ended is still in the pty.
void drain(int master) {
  pollfd rest{master, POLLIN, 0};
  while (::poll(&rest, 1, 0) > 0 && (rest.revents & POLLIN) != 0 && carry(master, STDOUT_FILENO)) {
  }
}

}  // namespace

base::Result<SignalForwarding> SignalForwarding::begin() {
  sigset_t set;
  ::sigfillset(&set);
  // Those of the process's own faults stay deadly; job control of the caller's shell works as ever.
  for (const int number :
       {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGPIPE, SIGTTIN, SIGTTOU, SIGURG}) {
    ::sigdelset(&set, number);
  }
  sigset_t old;
  if (::sigprocmask(SIG_BLOCK, &set, &old) != 0) return base::fail_errno("sigprocmask");
  base::UniqueFd signals(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) return base::fail_errno("signalfd");
  return SignalForwarding(std::move(signals), old);
}

SignalForwarding::~SignalForwarding() {
  if (is_active_) ::sigprocmask(SIG_SETMASK, &old_, nullptr);
}

base::Result<int> wait_in_foreground(pid_t child, const SignalForwarding& forwarding,
                                     base::UniqueFd master) {
  std::optional<RawTerminal> raw;
  if (master) {
    raw.emplace();
    copy_size(master.get());
  }
  std::array<pollfd, 3> waits{pollfd{forwarding.fd(), POLLIN, 0}, pollfd{master.get(), POLLIN, 0},
                              pollfd{master ? STDIN_FILENO : -1, POLLIN, 0}};
  while (true) {
    if (::poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) {
      return base::fail_errno("poll", "foreground");
    }
    if (waits[1].revents != 0 && !carry(master.get(), STDOUT_FILENO)) waits[1].fd = -1;
    if (waits[2].revents != 0 && !carry(STDIN_FILENO, master.get())) waits[2].fd = -1;
    const auto status = TRY(take_signals(child, forwarding.fd(), master.get()));
    if (!status) continue;
    if (master) drain(master.get());
    return *status;
  }
}

}  // namespace runtime::container
