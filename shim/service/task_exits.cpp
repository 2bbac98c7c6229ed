// The ends of processes, told in the order that containerd relies on: a process's start before its
// exit, the execs of a container before its init.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/cgroup/cgroup.hpp"
#include "shim/service/task_service.hpp"

namespace shim::service {
namespace {

constexpr std::size_t kMaxUnclaimed = 4096;

bool is_child(pid_t pid) {
  siginfo_t ignored{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &ignored, WEXITED | WNOHANG | WNOWAIT) == 0;
}

}  // namespace

bool TaskService::has_live() const {
  return std::ranges::any_of(containers_, [](const auto& each) {
    return each.second->init.status != protocol::TaskStatus::Stopped;
  });
}

bool TaskService::is_forgotten() const {
  return !has_live() && std::ranges::none_of(containers_, [](const auto& each) {
    return ::access(each.second->bundle.c_str(), F_OK) == 0;
  });
}

void TaskService::on_exit(const loop::Exit& exit) {
  const auto found = processes_.find(exit.pid);
  if (found == processes_.end()) {
    if (operations_.size() == 0 || unclaimed_.size() >= kMaxUnclaimed) unclaimed_.clear();
    if (operations_.size() > 0) unclaimed_[exit.pid] = exit.status;
    return;
  }
  const auto [container, exec_id] = std::move(found->second);
  processes_.erase(found);
  if (Process* const process = container->find(exec_id)) {
    process_ended(container, *process, exit.status);
  }
}

void TaskService::claim_exit(pid_t pid) {
  const auto found = unclaimed_.extract(pid);
  // If there is a child of that number, it is the process, and the exit was an older one's.
  if (!found.empty() && !is_child(pid)) on_exit({pid, found.mapped()});
}

void TaskService::process_ended(const Shared& container, Process& process, std::uint32_t status) {
  if (process.is_starting) {
    process.early_exit = status;
    return;
  }
  if (process.exec_id.empty()) return init_ended(container, status);
  tell_exit(*container, process, status);
  tell_held_exit(*container);
}

void TaskService::tell_held_exit(Container& container) {
  if (!container.held_exit || container.has_live_execs()) return;
  tell_exit(container, container.init, *std::exchange(container.held_exit, std::nullopt));
}

void TaskService::init_ended(const Shared& container, std::uint32_t status) {
  container->held_exit = status;
  if (container->has_private_pids) return tell_held_exit(*container);
  // Without a pid namespace of its own the kernel does not end the rest with it.
  operations_.begin(
      [cgroup = runtime::cgroup::Cgroup(container->cgroup)]() -> base::Result<loop::Outcome> {
        TRY(cgroup.kill_all(SIGKILL));
        return loop::Outcome{};
      },
      [this, container](const base::Result<loop::Outcome>&) { tell_held_exit(*container); });
}

void TaskService::tell_exit(Container& container, Process& process, std::uint32_t status) {
  process.status = protocol::TaskStatus::Stopped;
  process.exit_status = status;
  process.exited_at = protocol::now();
  process.streams.in_writer.reset();
  protocol::TaskExit event;
  event.container_id = container.id;
  event.id = process.exec_id.empty() ? container.id : process.exec_id;
  event.pid = static_cast<std::uint32_t>(process.pid);
  event.exit_status = status;
  event.exited_at = process.exited_at;
  publisher_.publish(event);
  for (const Key waiter : process.waiters) {
    answer(waiter, protocol::WaitResponse{status, process.exited_at});
  }
  process.waiters.clear();
}

}  // namespace shim::service
