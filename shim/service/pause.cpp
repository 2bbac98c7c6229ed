#include "shim/service/pause.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace shim::service {

void pause() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int each : std::array{SIGTERM, SIGINT, SIGCHLD}) ::sigaddset(&signals, each);
  // Blocked, not caught: the first process of a namespace gets no others (pid_namespaces(7)).
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  while (true) {
    const int got = ::sigwaitinfo(&signals, nullptr);
    if (got == SIGTERM || got == SIGINT) ::_exit(0);
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }
}

}  // namespace shim::service
