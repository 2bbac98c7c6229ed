#include "runtime/process/child.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/file.hpp"
#include "runtime/namespaces/user_namespace.hpp"
#include "runtime/process/finish.hpp"
#include "runtime/process/first_process.hpp"
#include "runtime/process/terminal.hpp"
#include "runtime/rootfs/mount_calls.hpp"
#include "runtime/security/scheduling.hpp"

namespace runtime::process {
namespace {

/// The program must not inherit what its runtime's caller ignored or blocked.
void reset_signals() {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

base::Result<void> die_with_parent() {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return base::fail_errno("prctl(PR_SET_PDEATHSIG)");
  return {};
}

/// The runtime's own descriptors (log, lock, cgroup) and what its caller leaked have no business in
/// the container (CVE-2024-21626). Their owners in this copy of the parent's memory never run
/// again.
base::Result<void> close_others(const Plan& plan, const Channel& channel) {
  std::vector<int> kept{channel.fd(), plan.procfs.get(), plan.executable.file.get()};
  for (const base::UniqueFd& each : plan.executable.inherited) kept.push_back(each.get());
  if (plan.joining) kept.push_back(plan.joining->pidfd.get());
  if (plan.creation) {
    kept.push_back(plan.creation->fifo.get());
    for (const auto& each : plan.creation->joined) kept.push_back(each.file.get());
  }
  auto first = 3U + static_cast<unsigned>(plan.preserved);
  std::erase_if(kept, [](int fd) { return fd < 0; });
  std::ranges::sort(kept);
  const auto close_gap = [&first](unsigned end) -> base::Result<void> {
    // Safety: by number, because glibc's wrapper is newer than some kernels' headers.
    if (end >= first && ::syscall(SYS_close_range, first, end, 0) != 0) {
      return base::fail_errno("close_range");
    }
    return {};
  };
  for (const int fd : kept) {
    const auto number = static_cast<unsigned>(fd);
    if (number < first) continue;
    TRY(close_gap(number - 1));
    first = number + 1;
  }
  return close_gap(~0U);
}

base::Result<void> become_root() {
  // Forbidden where the namespace denies setgroups(2), and not possible without a mapping for 0:
  // what then needs rights fails with its own name.
  if (::setgroups(0, nullptr) != 0 && errno != EPERM) return base::fail_errno("setgroups");
  if (::setresgid(0, 0, 0) != 0 && errno != EINVAL) return base::fail_errno("setresgid", "0");
  if (::setresuid(0, 0, 0) != 0 && errno != EINVAL) return base::fail_errno("setresuid", "0");
  return {};
}

base::Result<void> unshare_time(const Plan& plan) {
  if (::unshare(CLONE_NEWTIME) != 0) return base::fail_errno("unshare", "time namespace");
  const std::string& offsets = plan.creation->namespaces.time_offsets;
  if (offsets.empty()) return {};
  const base::UniqueFd file =
      TRY(base::open_at(plan.procfs.get(), "self/timens_offsets", O_WRONLY));
  return base::write_all(file.get(), offsets, "/proc/self/timens_offsets");
}

base::Result<void> enter_namespaces(Plan& plan) {
  if (plan.joining) {
    static_cast<void>(TRY(
        namespaces::join_process(plan.procfs.get(), plan.joining->pidfd.get(), plan.joining->pid)));
    plan.joining->pidfd.reset();
    return {};
  }
  TRY(namespaces::join(plan.creation->joined));
  plan.creation->joined.clear();
  if (plan.creation->namespaces.unshares_time) TRY(unshare_time(plan));
  return {};
}

/// Whoever may trace in the container can open what this process has open, before it executes, and
/// the host's procfs leads on to the files of the host's processes (CVE-2016-9962). Capabilities
/// of a user namespace reach no such process; and there a further procfs may not be mounted.
bool needs_own_procfs(const Plan& plan) {
  return !plan.has_user_namespace && namespaces::is_host_root();
}

/// One that knows the container's processes alone, once this is among them.
base::Result<base::UniqueFd> make_procfs(const Plan& plan) {
  std::vector<std::string> parameters;
  if (!plan.creation || plan.spec->linux.sysctl.empty()) parameters.emplace_back("subset=pid");
  constexpr std::uint64_t kAttributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  return base::with_context(rootfs::make_file_system("proc", "proc", parameters, kAttributes),
                            "own procfs");
}

/// The intermediate process ends here; the function returns in the container's process.
base::Result<void> clone_again(const Plan& plan, const Channel& channel) {
  const std::uint64_t flags = plan.creation ? plan.creation->namespaces.cloned : 0;
  const long pid = clone_process(flags | CLONE_PARENT, -1, nullptr);
  if (pid < 0) return base::fail_errno("clone3");
  if (pid > 0) {
    const auto number = static_cast<std::uint32_t>(pid);
    // Safety: plain bytes of a number.
    TRY(channel.send(MessageType::Cloned,
                     {reinterpret_cast<const char*>(&number), sizeof(number)}));
    ::_exit(0);
  }
  TRY(die_with_parent());
  TRY(channel.expect(MessageType::Proceed));
  return {};
}

base::Result<void> join_container(Plan& plan, const Channel& channel) {
  if (!plan.process.terminal) return {};
  const rootfs::Root root(TRY(base::open_file("/", O_PATH | O_DIRECTORY)));
  const base::UniqueFd master = TRY(
      base::with_context(open_terminal(root, plan.process.console_size, false), "set up console"));
  return channel.ask(MessageType::Terminal, master.get());
}

/// To where the process of config.json may run, once it is in its cgroups: the CPUs that this
/// command happened to be bound to are not the container's. Refused masks leave things as they are.
base::Result<void> choose_cpus(const Plan& plan) {
  const std::optional<oci::ExecCpuAffinity>& wanted = plan.process.exec_cpu_affinity;
  if (plan.joining && wanted && (!wanted->initial.empty() || !wanted->final.empty())) {
    return security::apply_cpu_affinity(wanted->final);
  }
  security::reset_cpu_affinity();
  return {};
}

base::Result<void> prepare(Plan& plan, const Channel& channel) {
  TRY(die_with_parent());
  if (plan.joining && plan.process.exec_cpu_affinity) {
    TRY(security::apply_cpu_affinity(plan.process.exec_cpu_affinity->initial));
  }
  reset_signals();
  TRY(close_others(plan, channel));
  TRY(channel.expect(MessageType::Proceed));
  TRY(base::with_context(choose_cpus(plan), "process.execCPUAffinity"));
  const bool has_intermediate = plan.joining || plan.creation->namespaces.needs_intermediate;
  // While it is in the container's namespaces its memory and descriptors are nobody's business.
  // A new user namespace waits: its maps are written by an owner who may have no privilege.
  if (has_intermediate && ::prctl(PR_SET_DUMPABLE, 0) != 0) {
    return base::fail_errno("prctl(PR_SET_DUMPABLE)");
  }
  const bool has_own_procfs = needs_own_procfs(plan);
  TRY(base::with_context(enter_namespaces(plan), "join namespaces"));
  if (has_own_procfs) plan.procfs.reset();
  if (has_intermediate) TRY(clone_again(plan, channel));
  if (has_own_procfs) plan.procfs = TRY(make_procfs(plan));
  if (::setsid() < 0) return base::fail_errno("setsid");
  if (plan.creation && plan.creation->namespaces.unshares_cgroup &&
      ::unshare(CLONE_NEWCGROUP) != 0) {
    return base::fail_errno("unshare", "cgroup namespace");
  }
  if (plan.has_user_namespace) TRY(become_root());
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) return base::fail_errno("prctl(PR_SET_DUMPABLE)");
  return plan.creation ? build_container(plan, channel) : join_container(plan, channel);
}

}  // namespace

long clone_process(std::uint64_t flags, int cgroup, int* pidfd) {
  clone_args arguments{};
  arguments.flags = flags;
  // A process made for the parent inherits its maker's signal (clone(2), CLONE_PARENT).
  arguments.exit_signal = (flags & CLONE_PARENT) != 0 ? 0 : SIGCHLD;
  if (pidfd != nullptr) {
    arguments.flags |= CLONE_PIDFD;
    arguments.pidfd = reinterpret_cast<std::uintptr_t>(pidfd);
  }
  if (cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(cgroup);
  }
  // Safety: no stack is given, so the child goes on with a copy of this one, as after fork(2). The
  // process has one thread, so no lock is held by another.
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof(arguments));
  if (pid >= 0 || errno != ENOSYS || cgroup >= 0) return pid;
  return ::syscall(SYS_clone, static_cast<unsigned long>(arguments.flags) | arguments.exit_signal,
                   nullptr, pidfd, nullptr, nullptr);
}

void become_container(Plan& plan, Channel channel) {
  base::Result<void> prepared = prepare(plan, channel);
  const base::Error error = prepared ? finish(plan, channel) : std::move(prepared).error();
  if (channel.fd() >= 0) {
    static_cast<void>(channel.send(MessageType::Error, encode_error(error)));
  }
  ::_exit(1);
}

}  // namespace runtime::process
