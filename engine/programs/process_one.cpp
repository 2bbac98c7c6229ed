#include "engine/programs/process_one.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <string_view>

namespace engine::programs {
namespace {

// Those whose default action is to terminate and that a process may handle (signal(7)). Of the
// faults the trap handler takes its own later, and passes on what is no trap.
constexpr std::array kTerminating = {
    SIGHUP,  SIGINT,    SIGQUIT, SIGABRT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGSTKFLT, SIGXCPU,
    SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO,   SIGPWR,  SIGSYS,  SIGSEGV, SIGILL,  SIGFPE,    SIGTRAP};

extern "C" void leave(int signal) { ::_exit(128 + signal); }

// A page of the artifact that is not there any more: somebody has cut the file, or its disk failed.
// Text, names and first memory lie in it, so that neither the guest nor this program can go on.
extern "C" void end_by_bus_error(int signal, siginfo_t* info, void* /*context*/) {
  if (info->si_code > 0) {
    constexpr std::string_view kText =
        "wherry-exec: bus error: the file of the compiled module was cut, or cannot be read\n";
    static_cast<void>(!::write(2, kText.data(), kText.size()));
  } else if (::getpid() != 1) {
    // Somebody's kill; the default action, once this handler has returned.
    ::signal(signal, SIG_DFL);
    ::raise(signal);
    return;
  }
  leave(signal);
}

base::Result<void> set(int signal, void (*handler)(int), int flags) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = flags;
  if (::sigaction(signal, &action, nullptr) != 0) {
    return base::fail_errno("sigaction", ::sigabbrev_np(signal));
  }
  return {};
}

}  // namespace

base::Result<void> take_over_signals() {
  TRY(set(SIGPIPE, SIG_IGN, 0));
  struct sigaction bus_error{};
  bus_error.sa_sigaction = end_by_bus_error;
  bus_error.sa_flags = SA_SIGINFO | SA_ONSTACK;
  if (::sigaction(SIGBUS, &bus_error, nullptr) != 0) return base::fail_errno("sigaction", "BUS");
  if (::getpid() != 1) return {};
  for (const int signal : kTerminating) TRY(set(signal, leave, SA_ONSTACK | SA_RESTART));
  return set(SIGCHLD, SIG_IGN, SA_NOCLDWAIT);
}

void show_arguments(char** argv, int count) {
  int first = 0;
  while (argv[first] != nullptr) ++first;
  first -= count;
  if (count == 0 || first <= 0) return;
  // The kernel lays the strings out one behind the other (execve(2)); the last one ends the area.
  char* const begin = argv[0];
  char* const end = argv[first + count - 1] + std::strlen(argv[first + count - 1]) + 1;
  const std::ptrdiff_t shift = argv[first] - begin;
  std::memmove(begin, argv[first], static_cast<std::size_t>(end - argv[first]));
  std::memset(end - shift, 0, static_cast<std::size_t>(shift));
  for (int i = 0; i < count; ++i) argv[first + i] -= shift;
  const char* name = std::strrchr(begin, '/');
  ::prctl(PR_SET_NAME, name != nullptr ? name + 1 : begin);
}

}  // namespace engine::programs
