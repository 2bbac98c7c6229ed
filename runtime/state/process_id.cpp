// A pid with the time at which its process started.
#include "runtime/state/process_id.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.hpp"

namespace runtime::state {
namespace {

constexpr std::size_t kMaxStat = 4096;
// Fields after the command name, which is the second and may contain anything but is the only one
// in parentheses: the third is the state, the 22nd the start time.
constexpr int kStateField = 3;
constexpr int kStartTimeField = 22;

struct Stat {
  char state = '?';
  std::uint64_t start_time = 0;
};

std::optional<Stat> read_stat(pid_t pid) {
  const auto text = base::read_file("/proc/" + std::to_string(pid) + "/stat", kMaxStat);
  if (!text) return std::nullopt;
  const std::size_t name_end = text->rfind(") ");
  if (name_end == std::string::npos) return std::nullopt;
  std::string_view rest(*text);
  rest.remove_prefix(name_end + 2);
  Stat stat;
  stat.state = rest.empty() ? '?' : rest.front();
  for (int field = kStateField; field < kStartTimeField; ++field) {
    const std::size_t space = rest.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(space + 1);
  }
  if (std::from_chars(rest.data(), rest.data() + rest.size(), stat.start_time).ec != std::errc{}) {
    return std::nullopt;
  }
  return stat;
}

bool runs(const std::optional<Stat>& stat) {
  return stat && stat->state != 'Z' && stat->state != 'X' && stat->state != 'x';
}

base::Result<base::UniqueFd> not_alive(pid_t pid) {
  return base::fail(base::ErrorKind::NotFound, "process " + std::to_string(pid) + " is not alive");
}

}  // namespace

base::Result<ProcessId> identify(pid_t pid) {
  const auto stat = read_stat(pid);
  if (!stat) {
    return base::fail(base::ErrorKind::NotFound, "no process " + std::to_string(pid));
  }
  return ProcessId{pid, stat->start_time};
}

bool alive(const ProcessId& process) {
  if (process.pid <= 0) return false;
  const auto stat = read_stat(process.pid);
  return runs(stat) && stat->start_time == process.start_time;
}

base::Result<base::UniqueFd> open_process(const ProcessId& process) {
  if (process.pid <= 0) return not_alive(process.pid);
  // Safety: pidfd_open(2) touches no memory. The descriptor is close-on-exec.
  base::UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  if (!fd && errno == ESRCH) return not_alive(process.pid);
  if (!fd) return base::fail_errno("pidfd_open", std::to_string(process.pid));
  // Only after the pidfd is there does the pid stand for one process.
  if (!alive(process)) return not_alive(process.pid);
  return fd;
}

}  // namespace runtime::state
