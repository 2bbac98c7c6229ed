// kill and delete.
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>
#include <tuple>

#include "oci/names.hpp"
#include "oci/parse.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/container/creating.hpp"
#include "runtime/state/process_id.hpp"
#include "runtime/state/status.hpp"

namespace runtime::container {
namespace {

constexpr std::chrono::seconds kPatience{10};

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::optional<int> parse_realtime(std::string_view name) {
  for (const auto& [prefix, base, sign] : {std::tuple{std::string_view("RTMIN"), SIGRTMIN, 1},
                                           {std::string_view("RTMAX"), SIGRTMAX, -1}}) {
    if (!name.starts_with(prefix)) continue;
    std::string_view rest = name.substr(prefix.size());
    if (rest.empty()) return base;
    if (rest.front() != (sign > 0 ? '+' : '-')) return std::nullopt;
    rest.remove_prefix(1);
    int offset = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), offset);
    const int number = base + sign * offset;
    if (error != std::errc() || end != rest.data() + rest.size() || number < SIGRTMIN ||
        number > SIGRTMAX) {
      return std::nullopt;
    }
    return number;
  }
  return std::nullopt;
}

base::Result<void> signal_process(const state::ProcessId& process, int signal) {
  const auto pidfd = state::open_process(process);
  if (!pidfd) return base::fail(base::ErrorKind::WrongState, "container not running");
  // Safety: pidfd_send_signal(2) with a null siginfo touches no memory.
  if (::syscall(SYS_pidfd_send_signal, pidfd->get(), signal, nullptr, 0) != 0) {
    return base::fail_errno("pidfd_send_signal", std::to_string(process.pid));
  }
  return {};
}

/// After `kill` a container needs a moment to be dead; who deletes right then means the dead one.
void await_end(const state::ProcessId& process) {
  constexpr int kMilliseconds = 100;
  const auto pidfd = state::open_process(process);
  if (!pidfd) return;
  pollfd wait{pidfd->get(), POLLIN, 0};
  ::poll(&wait, 1, kMilliseconds);
}

base::Result<bool> shares_pids(const Host& host, std::string_view id) {
  const std::string config = TRY(host.store.load_config(id));
  const oci::Spec spec = TRY(oci::parse_spec(config));
  const oci::Namespace* space = spec.linux.find_namespace(oci::NamespaceType::Pid);
  return space == nullptr || !space->path.empty();
}

}  // namespace

base::Result<int> parse_signal(std::string_view text) {
  const auto unknown = [&] {
    return base::fail(base::ErrorKind::Invalid, "unknown signal \"" + std::string(text) + '"');
  };
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) {
    if (number < 0 || number >= NSIG) return unknown();
    return number;
  }
  std::string name = upper(text);
  if (name.starts_with("SIG")) name.erase(0, 3);
  for (int each = 1; each < NSIG; ++each) {
    const char* abbreviation = ::sigabbrev_np(each);
    if (abbreviation != nullptr && name == abbreviation) return each;
  }
  if (name == "IOT") return SIGABRT;
  if (name == "CLD") return SIGCHLD;
  if (const auto realtime = parse_realtime(name)) return *realtime;
  return unknown();
}

base::Result<void> kill(const Host& host, std::string_view id, int signal, bool all) {
  const state::Record record = TRY(host.store.load(id));
  const oci::Status status = state::status_of(record);
  const cgroup::Cgroup cgroup(record.cgroup);
  // Without a pid namespace of its own the death of the first process ends none of the others.
  // Who has no cgroups can be reached only there.
  const bool wants_all = all || (signal == SIGKILL && TRY(shares_pids(host, id)));
  if (wants_all && !record.cgroup.empty()) return cgroup.kill_all(signal);
  if (status == oci::Status::Stopped || !record.init) {
    return base::fail(base::ErrorKind::WrongState, "container not running");
  }
  TRY(signal_process(*record.init, signal));
  // A frozen process would die only after somebody thaws it.
  if (signal == SIGKILL && status == oci::Status::Paused) return cgroup.thaw();
  return {};
}

base::Result<void> remove(const Host& host, std::string_view id, bool force) {
  base::Result<state::Entry> locked = host.store.lock(id, kPatience);
  if (!locked && force && locked.error().kind() == base::ErrorKind::NotFound) return {};
  state::Entry entry = TRY(std::move(locked));
  base::Result<state::Record> loaded = entry.load();
  if (!loaded && force) return entry.remove();
  const state::Record record = TRY(std::move(loaded));
  oci::Status status = state::status_of(record);
  if (status == oci::Status::Running && !force) {
    await_end(*record.init);
    status = state::status_of(record);
  }
  const bool may_go = status == oci::Status::Stopped || status == oci::Status::Created ||
                      status == oci::Status::Creating;
  if (!may_go && !force) {
    return base::fail(base::ErrorKind::WrongState,
                      "cannot delete container " + std::string(id) +
                          " that is not stopped: " + std::string(oci::name_of(status)));
  }
  base::Result<oci::Spec> spec = [&]() -> base::Result<oci::Spec> {
    const std::string config = TRY(entry.load_config());
    return oci::parse_spec(config);
  }();
  const bool runs_hooks = spec && record.phase != state::Phase::Creating;
  return discard(host, entry, record, runs_hooks ? &*spec : nullptr);
}

}  // namespace runtime::container
