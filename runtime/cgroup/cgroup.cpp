// Effects on the cgroups of a container. What to write is decided in resources.cpp and
// device_rules.cpp, where in placement.cpp.
#include "runtime/cgroup/cgroup.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>
#include <string_view>
#include <thread>

#include "base/file.hpp"
#include "runtime/cgroup/device_rules.hpp"
#include "runtime/cgroup/directory.hpp"

namespace runtime::cgroup {
namespace {

using base::ErrorKind;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxSmallFile = std::size_t{64} << 10;
constexpr milliseconds kFreezePatience{2000};
constexpr milliseconds kKillPatience{10000};

const std::string* find(const Paths& paths, const char* controller) {
  const auto at = paths.find(controller);
  return at == paths.end() ? nullptr : &at->second;
}

// Controllers of one hierarchy share a directory.
std::set<std::string> directories(const Paths& paths) {
  std::set<std::string> out;
  for (const auto& [controller, path] : paths) out.insert(path);
  return out;
}

bool only_v2(const Paths& paths) { return paths.size() == 1 && paths.contains(""); }

bool is_gone(const base::Error& error) {
  return error.sys_errno() == ENOENT || error.sys_errno() == ENODEV;
}

// Waits are short at first: most of what is waited for happens within a millisecond.
class Backoff {
 public:
  explicit Backoff(milliseconds patience) : end_(Clock::now() + patience) {}
  bool over() const { return Clock::now() >= end_; }
  void wait() {
    std::this_thread::sleep_for(step_);
    step_ = std::min(step_ * 2, std::chrono::microseconds(20000));
  }

 private:
  Clock::time_point end_;
  std::chrono::microseconds step_{100};
};

base::Result<void> write_setting(const Setting& setting, const std::string& directory) {
  auto written = base::write_existing(directory + '/' + setting.file, setting.value);
  if (!written && written.error().sys_errno() == ENOENT && !setting.other_file.empty()) {
    written = base::write_existing(directory + '/' + setting.other_file, setting.other_value);
  }
  if (!written && setting.optional && written.error().sys_errno() == EOPNOTSUPP) return {};
  if (!written && written.error().sys_errno() == ENOENT) {
    if (setting.optional) return {};
    written.error().set_kind(ErrorKind::Unsupported);
  }
  return base::with_context(std::move(written), setting.origin);
}

base::Result<void> write_v1_devices(const std::string& directory,
                                    const std::vector<oci::DeviceRule>& rules) {
  const std::vector<DeviceWrite> writes = TRY(plan_v1_devices(rules));
  const std::string allow_path = directory + "/devices.allow";
  const std::string deny_path = directory + "/devices.deny";
  const base::UniqueFd allow = TRY(base::open_file(allow_path, O_WRONLY));
  const base::UniqueFd deny = TRY(base::open_file(deny_path, O_WRONLY));
  for (const DeviceWrite& each : writes) {
    const std::string& path = each.allow ? allow_path : deny_path;
    TRY(base::write_all((each.allow ? allow : deny).get(), each.line, path));
  }
  return {};
}

base::Result<void> move_process(const std::string& directory, pid_t pid) {
  const std::string path = directory + "/cgroup.procs";
  // EINVAL: the kernel has just made the task and will not move it yet.
  for (Backoff backoff{milliseconds(200)};; backoff.wait()) {
    auto moved = base::write_existing(path, std::to_string(pid));
    if (moved || moved.error().sys_errno() != EINVAL || backoff.over()) return moved;
  }
}

// v1, kernel docs freezer-subsystem.rst: a write of FROZEN can stay FREEZING while tasks come and
// go; writing it again makes it look at the newcomers.
base::Result<void> set_v1_freezer(const std::string& directory, bool freeze) {
  const std::string path = directory + "/freezer.state";
  const std::string_view wanted = freeze ? "FROZEN" : "THAWED";
  for (Backoff backoff(kFreezePatience);; backoff.wait()) {
    TRY(base::write_existing(path, wanted));
    const std::string state = TRY(base::read_file(path, kMaxSmallFile));
    if (state.starts_with(wanted)) return {};
    if (backoff.over()) {
      return base::fail(ErrorKind::WrongState,
                        path + " stays " + state.substr(0, state.find('\n')));
    }
  }
}

base::Result<void> set_v2_freezer(const std::string& directory, bool freeze) {
  TRY(base::write_existing(directory + "/cgroup.freeze", freeze ? "1" : "0"));
  const std::string path = directory + "/cgroup.events";
  const std::string_view wanted = freeze ? "frozen 1" : "frozen 0";
  for (Backoff backoff(kFreezePatience);; backoff.wait()) {
    const std::string events = TRY(base::read_file(path, kMaxSmallFile));
    if (events.contains(wanted)) return {};
    if (backoff.over()) {
      return base::fail(ErrorKind::WrongState, path + " does not become " + std::string(wanted));
    }
  }
}

base::Result<void> set_freezer(const Paths& paths, bool freeze) {
  if (const std::string* v1 = find(paths, "freezer")) return set_v1_freezer(*v1, freeze);
  if (const std::string* v2 = find(paths, "")) return set_v2_freezer(*v2, freeze);
  return base::fail(ErrorKind::Unsupported, "this host has no freezer");
}

// A process can be in different places of different hierarchies only if it was moved by hand; two
// of them are looked at, so that a container that moves its processes in one does not hide them.
std::vector<std::string> process_lists(const Paths& paths) {
  std::vector<std::string> out;
  if (const std::string* v2 = find(paths, "")) out.push_back(*v2);
  for (const char* controller : {"devices", "freezer", "pids", "memory"}) {
    if (const std::string* v1 = find(paths, controller)) {
      out.push_back(*v1);
      break;
    }
  }
  if (out.empty() && !paths.empty()) out.push_back(paths.begin()->second);
  return out;
}

std::uint64_t count_after(const std::string& text, std::string_view key) {
  std::uint64_t count = 0;
  const std::size_t at = text.find(key);
  if (at == std::string::npos) return 0;
  std::from_chars(text.data() + at + key.size(), text.data() + text.size(), count);
  return count;
}

}  // namespace

base::Result<void> Cgroup::check_unused() const {
  const std::size_t living = TRY(pids()).size();
  if (living > 0) {
    return base::fail(ErrorKind::WrongState, "container's cgroup is not empty: " +
                                                 std::to_string(living) + " process(es) found");
  }
  if (TRY(frozen())) {
    return base::fail(ErrorKind::WrongState, "container's cgroup unexpectedly frozen");
  }
  return {};
}

base::Result<void> Cgroup::create() {
  std::vector<std::string> made;
  const auto create_all = [&]() -> base::Result<void> {
    for (const std::string& path : directories(paths_)) TRY(make_directory(path, made));
    if (const std::string* cpuset = find(paths_, "cpuset")) TRY(inherit_cpuset(*cpuset));
    if (only_v2(paths_)) enable_controllers(paths_.begin()->second, {});
    return {};
  };
  auto created = base::with_context(create_all(), "create cgroup");
  if (!created) {
    for (auto path = made.rbegin(); path != made.rend(); ++path) ::rmdir(path->c_str());
  }
  return created;
}

base::Result<std::vector<std::string>> Cgroup::create_permitted() {
  std::vector<std::string> refused;
  for (const std::string& path : directories(paths_)) {
    std::vector<std::string> made;
    base::Result<void> done = make_directory(path, made);
    if (done) continue;
    const int error = done.error().sys_errno();
    if (error != EACCES && error != EPERM && error != EROFS) {
      return std::unexpected(std::move(done).error());
    }
    refused.push_back(path);
    std::erase_if(paths_, [&path](const auto& entry) { return entry.second == path; });
  }
  TRY(create());
  return refused;
}

base::Result<void> Cgroup::apply(const ResourcePlan& plan) {
  for (std::size_t i = 0; i < plan.settings.size(); ++i) {
    const Setting& setting = plan.settings[i];
    const bool v2 = setting.version == Version::V2;
    const std::string* directory = find(paths_, v2 ? "" : setting.controller.c_str());
    if (directory == nullptr) {
      return base::fail(ErrorKind::Unsupported, setting.origin +
                                                    ": the container has no cgroup of " +
                                                    "controller " + setting.controller);
    }
    // In the hybrid layout v2's controllers are switched on only for those who ask for them.
    if (v2 && !only_v2(paths_) && !setting.controller.empty()) {
      enable_controllers(*directory, {setting.controller});
    }
    base::Result<void> written = write_setting(setting, *directory);
    if (!written && setting.swaps_with_next && written.error().sys_errno() == EINVAL) {
      TRY(write_setting(plan.settings[++i], *directory));
      written = write_setting(setting, *directory);
    }
    if (!written) return written;
  }
  if (plan.devices.empty()) return {};
  if (const std::string* v1 = find(paths_, "devices")) {
    return base::with_context(write_v1_devices(*v1, plan.devices), "linux.resources.devices");
  }
  if (const std::string* v2 = find(paths_, "")) {
    return base::with_context(attach_device_program(*v2, compile_device_program(plan.devices)),
                              "linux.resources.devices");
  }
  return base::fail(ErrorKind::Unsupported, "linux.resources.devices: no controller for devices");
}

base::Result<void> Cgroup::add(pid_t pid) const {
  for (const std::string& path : directories(paths_)) {
    TRY(base::with_context(move_process(path, pid), "join cgroup"));
  }
  return {};
}

base::Result<void> Cgroup::add_to_v1(pid_t pid) const {
  Paths v1 = paths_;
  v1.erase("");
  return Cgroup(std::move(v1)).add(pid);
}

base::Result<base::UniqueFd> Cgroup::open_unified() const {
  const std::string* path = find(paths_, "");
  if (path == nullptr) return base::UniqueFd();
  return base::open_file(*path, O_RDONLY | O_DIRECTORY);
}

base::Result<void> Cgroup::freeze() const {
  auto frozen = base::with_context(set_freezer(paths_, true), "freeze");
  // Half a freeze would leave tasks that no signal reaches.
  if (!frozen) (void)set_freezer(paths_, false);
  return frozen;
}

base::Result<void> Cgroup::thaw() const {
  return base::with_context(set_freezer(paths_, false), "thaw");
}

base::Result<bool> Cgroup::frozen() const {
  const std::string* v1 = find(paths_, "freezer");
  const std::string* v2 = find(paths_, "");
  if (v1 == nullptr && v2 == nullptr) return false;
  auto text = base::read_file(v1 != nullptr ? *v1 + "/freezer.state" : *v2 + "/cgroup.freeze",
                              kMaxSmallFile);
  if (!text && is_gone(text.error())) return false;
  if (!text) return std::unexpected(std::move(text).error());
  return text->starts_with("FROZEN") || text->starts_with("FREEZING") || text->starts_with("1");
}

base::Result<std::vector<pid_t>> Cgroup::pids() const {
  std::vector<pid_t> out;
  for (const std::string& path : process_lists(paths_)) TRY(read_pids(path, true, out));
  std::ranges::sort(out);
  const auto repeated = std::ranges::unique(out);
  out.erase(repeated.begin(), repeated.end());
  return out;
}

base::Result<void> Cgroup::kill_all(int signal) const {
  if (signal != SIGKILL) {
    for (const pid_t pid : TRY(pids())) {
      if (::kill(pid, signal) != 0 && errno != ESRCH) {
        return base::fail_errno("kill", std::to_string(pid));
      }
    }
    return {};
  }
  for (Backoff backoff(kKillPatience);; backoff.wait()) {
    // One write kills a v2 cgroup at once, also while it forks (Linux 5.14).
    if (const std::string* v2 = find(paths_, "")) {
      (void)base::write_existing(*v2 + "/cgroup.kill", "1");
    }
    const std::vector<pid_t> living = TRY(pids());
    if (living.empty()) return {};
    for (const pid_t pid : living) ::kill(pid, SIGKILL);
    // A signal reaches frozen tasks of v1 only when they are thawed.
    if (find(paths_, "freezer") != nullptr && frozen().value_or(false)) TRY(thaw());
    if (backoff.over()) {
      return base::fail(ErrorKind::WrongState,
                        "kill cgroup: process " + std::to_string(living.front()) + " does not die");
    }
  }
}

base::Result<void> Cgroup::remove() const {
  base::Result<void> first;
  for (const std::string& path : directories(paths_)) {
    auto removed = remove_tree(path);
    if (!removed && first) first = base::with_context(std::move(removed), "remove cgroup");
  }
  return first;
}

std::uint64_t Cgroup::oom_kills() const {
  const std::string* v1 = find(paths_, "memory");
  const std::string* v2 = find(paths_, "");
  if (v1 == nullptr && v2 == nullptr) return 0;
  const auto text = base::read_file(
      v1 != nullptr ? *v1 + "/memory.oom_control" : *v2 + "/memory.events", kMaxSmallFile);
  return text ? count_after(*text, "oom_kill ") : 0;
}

}  // namespace runtime::cgroup
