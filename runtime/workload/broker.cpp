#include "runtime/workload/broker.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>

#include <array>
#include <csignal>
#include <filesystem>

#include "base/descriptor_passing.hpp"
#include "engine/cache/obtain.hpp"
#include "runtime/workload/compile_cgroup.hpp"
#include "runtime/workload/programs.hpp"

namespace runtime::workload {
namespace {

constexpr std::size_t kMaxText = 4096;

void send_error(int socket, const std::string& text) {
  const std::string message = "\1" + text.substr(0, kMaxText - 1);
  static_cast<void>(base::send_with_descriptor(socket, message, -1, "guest"));
}

/// Nothing of the caller's may be held open: callers wait for the end of pipes.
void let_go(int module, int socket) {
  ::dup2(module, 3);
  ::dup2(socket, 4);
  ::close_range(5, ~0U, 0);
  const int null = ::open("/dev/null", O_RDWR);
  for (const int fd : {0, 1, 2}) ::dup2(null, fd);
  ::close(null);
}

base::Result<engine::cache::Obtained> compile(const std::string& name) {
  engine::cache::ObtainOptions options;
  options.find_compiler = [] { return program_beside("wherry-compile"); };
  const std::string directory = std::filesystem::absolute(engine::cache::default_directory());
  // A working directory keeps the bundle's file system busy.
  if (::chdir("/") != 0) return base::fail_errno("chdir", "/");
  return engine::cache::obtain(directory, 3, name, options);
}

[[noreturn]] void supervise(int module, int socket, const std::string& name) {
  ::prctl(PR_SET_NAME, "wherry-broker");
  ::prctl(PR_SET_PDEATHSIG, 0);
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) ::signal(signal, SIG_IGN);
  let_go(module, socket);
  // Nobody reads what a process without a terminal says; the node's log is there for that.
  ::openlog("wherry", LOG_PID, LOG_DAEMON);
  if (const auto entered = enter_compile_cgroup(); !entered) {
    ::syslog(LOG_WARNING, "%s", entered.error().message().c_str());
  }
  const base::Result<engine::cache::Obtained> obtained = compile(name);
  if (obtained) {
    // A guest that died meanwhile is no failure: the artifact is in the cache.
    static_cast<void>(base::send_with_descriptor(4, std::string_view("\0", 1),
                                                 obtained->artifact.get(), "guest"));
    for (const std::string& warning : obtained->warnings)
      ::syslog(LOG_WARNING, "%s", warning.c_str());
  } else {
    send_error(4, obtained.error().message());
  }
  ::_exit(obtained ? 0 : 1);
}

}  // namespace

base::Result<base::UniqueFd> start_broker(int module, const std::string& name) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return base::fail_errno("socketpair", "broker");
  }
  base::UniqueFd ours(ends[0]);
  const base::UniqueFd theirs(ends[1]);
  // Above 4, where let_go puts them.
  const base::UniqueFd module_copy(::fcntl(module, F_DUPFD_CLOEXEC, 5));
  const base::UniqueFd socket_copy(::fcntl(theirs.get(), F_DUPFD_CLOEXEC, 5));
  if (!module_copy || !socket_copy) return base::fail_errno("fcntl", "F_DUPFD_CLOEXEC");
  const pid_t first = ::fork();
  if (first < 0) return base::fail_errno("fork", "broker");
  if (first == 0) {
    ::setsid();
    // Forked twice, so that it is nobody's child whom the caller's parent would wait for.
    const pid_t second = ::fork();
    if (second == 0) supervise(module_copy.get(), socket_copy.get(), name);
    ::_exit(second < 0 ? 1 : 0);
  }
  int status = 0;
  while (::waitpid(first, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) return base::fail(base::ErrorKind::System, "fork: broker did not start");
  return ours;
}

}  // namespace runtime::workload
