#include "shim/loop/operation.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "base/descriptor_passing.hpp"
#include "runtime/process/channel.hpp"

namespace shim::loop {
namespace {

constexpr std::size_t kMaxMessage = 17 * 1024;
constexpr char kGood = 'o';
constexpr char kFailed = 'e';

[[noreturn]] void work_and_tell(pid_t shim, int socket, const Operations::Work& work) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have died before that: then nobody waits for this work, and `delete` may be under way.
  if (::getppid() != shim) ::_exit(1);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const base::Result<Outcome> outcome = work();
  const std::string message = outcome ? kGood + outcome->text.substr(0, kMaxMessage - 1)
                                      : kFailed + runtime::process::encode_error(outcome.error());
  const int descriptor = outcome ? outcome->descriptor.get() : -1;
  static_cast<void>(base::send_with_descriptor(socket, message, descriptor, "shim"));
  ::_exit(0);
}

bool is_ready(int socket) {
  pollfd state{socket, POLLIN, 0};
  return ::poll(&state, 1, 0) > 0;
}

base::Result<Outcome> decode(std::string_view message, base::UniqueFd descriptor) {
  if (message.empty()) {
    return base::fail(base::ErrorKind::Internal, "the shim's operation died");
  }
  const std::string_view body = message.substr(1);
  if (message.front() == kGood) return Outcome{std::string(body), std::move(descriptor)};
  return std::unexpected(runtime::process::decode_error(body));
}

}  // namespace

void Operations::begin(const Work& work, Done done) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    done(base::fail_errno("socketpair", "operation"));
    return;
  }
  base::UniqueFd ours(ends[0]);
  const base::UniqueFd theirs(ends[1]);
  const pid_t shim = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    done(base::fail_errno("fork", "operation"));
    return;
  }
  if (pid == 0) work_and_tell(shim, theirs.get(), work);
  const int socket = ours.get();
  if (auto watched =
          loop_.watch(socket, EPOLLIN, [this, socket](std::uint32_t) { receive(socket); });
      !watched) {
    done(std::unexpected(std::move(watched).error()));
    return;
  }
  running_.emplace(socket, Running{std::move(ours), std::move(done)});
}

void Operations::receive(int socket) {
  const auto found = running_.find(socket);
  // An event of a socket that collect() has closed may be left, when the number is a later
  // operation's.
  if (found == running_.end() || !is_ready(socket)) return;
  std::array<char, kMaxMessage> buffer;
  auto message = base::receive_with_descriptor(socket, buffer, "operation");
  base::Result<Outcome> outcome =
      message ? decode({buffer.data(), message->size}, std::move(message->descriptor))
              : std::unexpected(std::move(message).error());
  const Done done = std::move(found->second.done);
  loop_.forget(socket);
  running_.erase(found);
  done(std::move(outcome));
}

void Operations::collect() {
  std::vector<int> sockets;
  for (const auto& [socket, running] : running_) sockets.push_back(socket);
  for (const int socket : sockets) receive(socket);
}

}  // namespace shim::loop
