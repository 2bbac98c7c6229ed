#include "shim/service/daemon.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/file.hpp"
#include "runtime/cgroup/cgroup.hpp"

namespace shim::service {
namespace {

constexpr std::size_t kMaxNumber = 32;

/// containerd's score, which this process has inherited, and one more.
void raise_oom_score() {
  constexpr int kMost = 1000;
  const std::string path = "/proc/self/oom_score_adj";
  const auto text = base::read_file(path, kMaxNumber);
  int score = 0;
  if (!text) return;
  std::from_chars(text->data(), text->data() + text->size(), score);
  static_cast<void>(base::write_existing(path, std::to_string(std::min(score + 1, kMost))));
}

base::Result<void> enter_cgroup(const std::string& path) {
  if (path.empty()) return {};
  const auto host = TRY(runtime::cgroup::detect_host());
  runtime::cgroup::Cgroup cgroup(TRY(runtime::cgroup::place(host, path, {})));
  TRY(cgroup.create());
  return cgroup.add(::getpid());
}

base::Result<void> redirect_standard_streams(const std::string& bundle) {
  const base::UniqueFd null = TRY(base::open_file("/dev/null", O_RDWR));
  // Read and write: a log that nobody reads must neither block nor end this process.
  const auto log = base::open_file(bundle + "/log", O_RDWR | O_NONBLOCK);
  for (const int fd : {0, 1}) ::dup2(null.get(), fd);
  ::dup2(log ? log->get() : null.get(), 2);
  return {};
}

}  // namespace

base::Result<void> become_daemon(base::UniqueFd listener, const DaemonOptions& options) {
  if (::setsid() < 0) return base::fail_errno("setsid");
  raise_oom_score();
  TRY(base::with_context(enter_cgroup(options.shim_cgroup), "option ShimCgroup"));
  TRY(redirect_standard_streams(options.bundle));
  const int kept = ::fcntl(listener.get(), F_DUPFD, kListenerFd + 1);
  if (kept < 0 || ::dup2(kept, kListenerFd) < 0) return base::fail_errno("dup2", "listener");
  static_cast<void>(listener.release());
  ::close_range(kListenerFd + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  // A working directory keeps the bundle's file system busy.
  if (::chdir("/") != 0) return base::fail_errno("chdir", "/");
  return {};
}

}  // namespace shim::service
