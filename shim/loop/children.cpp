#include "shim/loop/children.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace shim::loop {

base::Result<Children> Children::make() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    return base::fail_errno("prctl", "PR_SET_CHILD_SUBREAPER");
  }
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGCHLD);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return base::fail_errno("sigprocmask");
  base::UniqueFd signals(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) return base::fail_errno("signalfd");
  return Children(std::move(signals));
}

std::vector<Exit> Children::reap() const {
  signalfd_siginfo ignored{};
  while (::read(signals_.get(), &ignored, sizeof(ignored)) > 0) {
  }
  std::vector<Exit> out;
  int status = 0;
  for (pid_t pid = ::waitpid(-1, &status, WNOHANG); pid > 0;
       pid = ::waitpid(-1, &status, WNOHANG)) {
    const int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    out.push_back({pid, static_cast<std::uint32_t>(code)});
  }
  return out;
}

}  // namespace shim::loop
