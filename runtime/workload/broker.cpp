#include "runtime/workload/broker.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "base/file.hpp"
#include "engine/cache/obtain.hpp"
#include "runtime/workload/programs.hpp"

namespace runtime::workload {
namespace {

constexpr std::size_t kMaxText = 4096;

void send_artifact(int socket, int artifact) {
  char kind = 0;
  iovec data{&kind, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &artifact, sizeof(artifact));
  // A guest that died meanwhile is no failure: the artifact is in the cache.
  static_cast<void>(::sendmsg(socket, &message, MSG_NOSIGNAL));
}

void send_error(int socket, const std::string& text) {
  const std::string message = "\1" + text.substr(0, kMaxText - 1);
  static_cast<void>(::send(socket, message.data(), message.size(), MSG_NOSIGNAL));
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
  options.compiler = TRY(program_beside("wherry-compile"));
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
  const base::Result<engine::cache::Obtained> obtained = compile(name);
  if (obtained) {
    send_artifact(4, obtained->artifact.get());
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
