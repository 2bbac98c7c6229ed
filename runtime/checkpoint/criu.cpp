#include "runtime/checkpoint/criu.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <vector>

#include "base/descriptor_passing.hpp"
#include "base/file.hpp"
#include "runtime/process/program.hpp"

namespace runtime::checkpoint {
namespace {

/// 3.16 has all that is used here: external pid namespaces, v2's freezer, status-ready, LSM
/// options.
constexpr int kLeastVersion = 31600;
constexpr std::size_t kMaxPacket = std::size_t{64} << 10;
constexpr int kSocketNumber = kFirstPassed - 1;
constexpr int kCannotExecute = 127;

base::Result<std::string> find_criu() {
  const char* const path = std::getenv("PATH");
  base::Result<std::string> found =
      process::find_program("criu", {std::string("PATH=") + (path == nullptr ? "" : path)});
  if (!found) found.error().set_kind(base::ErrorKind::NotFound);
  return found;
}

/// The numbers that criu wants to see may be those of others that are still to be moved: so all go
/// up first.
bool place_descriptors(std::vector<int>& wanted) {
  const int free = kSocketNumber + static_cast<int>(wanted.size());
  for (int& each : wanted) {
    each = ::fcntl(each, F_DUPFD, free);
    if (each < 0) return false;
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (::dup2(wanted[i], kSocketNumber + static_cast<int>(i)) < 0) return false;
  }
  return ::syscall(SYS_close_range, static_cast<unsigned>(free), ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

/// Child side of fork.
[[noreturn]] void become_criu(const std::string& program, int null, std::vector<int> wanted) {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; ++fd) ::dup2(null, fd);
  if (place_descriptors(wanted)) {
    const std::string number = std::to_string(kSocketNumber);
    ::execl(program.c_str(), "criu", "swrk", number.c_str(), nullptr);
  }
  ::_exit(kCannotExecute);
}

std::unexpected<base::Error> failure(const Response& response) {
  std::string text = "criu failed: type " + std::string(name_of(response.type)) + " errno ";
  text += std::to_string(response.error);
  if (!response.error_text.empty()) text += ": " + response.error_text;
  return base::fail(base::ErrorKind::System, std::move(text));
}

}  // namespace

base::Result<Criu> Criu::start(bool own_stdio, std::span<const int> passed) {
  const std::string program = TRY(find_criu());
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return base::fail_errno("socketpair");
  }
  base::UniqueFd ours(ends[0]);
  const base::UniqueFd theirs(ends[1]);
  base::UniqueFd null;
  if (!own_stdio) null = TRY(base::open_file("/dev/null", O_RDWR));
  std::vector<int> wanted{theirs.get()};
  wanted.insert(wanted.end(), passed.begin(), passed.end());
  const pid_t pid = ::fork();
  if (pid < 0) return base::fail_errno("fork", "criu");
  if (pid == 0) become_criu(program, null.get(), std::move(wanted));
  return Criu(std::move(ours), pid);
}

Criu::Criu(Criu&& other) noexcept
    : socket_(std::move(other.socket_)), pid_(std::exchange(other.pid_, 0)) {}

Criu::~Criu() {
  if (pid_ <= 0) return;
  // Without its client it undoes what it has begun, and ends.
  socket_.reset();
  wait();
}

int Criu::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  return status;
}

base::Result<Response> Criu::converse(std::string_view request,
                                      const OnNotification& on_notification) {
  static_cast<void>(TRY(base::send_with_descriptor(socket_.get(), request, -1, "criu")));
  std::vector<char> packet(kMaxPacket);
  for (;;) {
    base::Received received = TRY(base::receive_with_descriptor(socket_.get(), packet, "criu"));
    if (received.size == 0) {
      return base::fail(base::ErrorKind::System, "criu ended without an answer");
    }
    Response response = TRY(decode_response({packet.data(), received.size}));
    if (!response.success) return failure(response);
    if (response.type != RequestType::Notify) return response;
    if (on_notification) TRY(on_notification(response, std::move(received.descriptor)));
    static_cast<void>(TRY(base::send_with_descriptor(socket_.get(), encode_consent(), -1, "criu")));
  }
}

base::Result<Response> Criu::ask(std::string_view request, const OnNotification& on_notification) {
  base::Result<Response> response = converse(request, on_notification);
  socket_.reset();
  const int status = wait();
  if (!response) return response;
  const bool matters =
      response->type == RequestType::Dump || response->type == RequestType::Restore;
  if (matters && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
    return base::fail(base::ErrorKind::System, "criu failed after it had answered");
  }
  return response;
}

base::Result<void> check_version() {
  Criu criu = TRY(Criu::start(false, {}));
  const Response response = TRY(criu.ask(encode_version_request(), nullptr));
  if (response.version >= kLeastVersion) return {};
  return base::fail(base::ErrorKind::Unsupported,
                    "CRIU version " + std::to_string(response.version) + " must be " +
                        std::to_string(kLeastVersion) + " or higher");
}

base::Result<void> check_features(const Features& wanted) {
  Criu criu = TRY(Criu::start(false, {}));
  const Response response = TRY(
      base::with_context(criu.ask(encode_feature_check(wanted), nullptr), "CRIU feature check"));
  std::string missing;
  if (wanted.memory_tracking && !response.features.memory_tracking) missing += " MemTrack";
  if (wanted.lazy_pages && !response.features.lazy_pages) missing += " LazyPages";
  if (missing.empty()) return {};
  return base::fail(base::ErrorKind::Unsupported, "criu is missing features:" + missing);
}

}  // namespace runtime::checkpoint
