// Removal by record.
#include "runtime/state/leftovers.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/cgroup/cgroup.hpp"
#include "runtime/resctrl/groups.hpp"
#include "runtime/state/process_id.hpp"
#include "runtime/systemd/manager.hpp"

namespace runtime::state {
namespace {

constexpr int kDeathPatienceMs = 10000;

base::Result<void> kill_and_wait(const ProcessId& process) {
  const auto pidfd = open_process(process);
  if (!pidfd) return {};
  // Safety: pidfd_send_signal(2) with a null siginfo touches no memory.
  if (::syscall(SYS_pidfd_send_signal, pidfd->get(), SIGKILL, nullptr, 0) != 0 && errno != ESRCH) {
    return base::fail_errno("pidfd_send_signal", std::to_string(process.pid));
  }
  pollfd death{pidfd->get(), POLLIN, 0};
  if (::poll(&death, 1, kDeathPatienceMs) == 0) {
    return base::fail(base::ErrorKind::WrongState,
                      "process " + std::to_string(process.pid) + " does not die");
  }
  return {};
}

base::Result<void> stop_unit(const systemd::Unit& unit) {
  base::Result<systemd::Manager> manager = systemd::Manager::connect(unit.instance);
  if (manager) return manager->stop(unit.name);
  // Nobody answers: then there is nobody whose unit could be left.
  if (manager.error().kind() == base::ErrorKind::NotFound) return {};
  return std::unexpected(std::move(manager).error());
}

}  // namespace

base::Result<void> remove_leftovers(const Record& record) {
  base::Result<void> first;
  const auto note = [&first](base::Result<void> step) {
    if (!step && first) first = std::move(step);
  };
  const cgroup::Cgroup cgroup(record.cgroup);
  // A frozen process dies only once its cgroup is thawed, which kill_all does.
  if (!record.cgroup.empty()) note(cgroup.kill_all(SIGKILL));
  if (record.init) note(kill_and_wait(*record.init));
  for (auto mount = record.mounts.rbegin(); mount != record.mounts.rend(); ++mount) {
    if (::umount2(mount->c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL &&
        errno != ENOENT) {
      note(base::fail_errno("umount2", *mount));
    }
  }
  // Before its cgroup goes: systemd notices that by itself, but keeps the name of what failed.
  if (record.unit) note(stop_unit(*record.unit));
  if (!record.cgroup.empty()) note(cgroup.remove());
  if (record.resctrl) note(resctrl::remove(*record.resctrl));
  return first;
}

}  // namespace runtime::state
