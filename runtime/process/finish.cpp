#include "runtime/process/finish.hpp"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <climits>

#include "base/file.hpp"
#include "runtime/hooks/hooks.hpp"
#include "runtime/process/program.hpp"
#include "runtime/security/labels.hpp"
#include "runtime/security/process_attributes.hpp"
#include "runtime/security/scheduling.hpp"
#include "runtime/security/user.hpp"

namespace runtime::process {
namespace {

/// A directory that was reached through a leaked descriptor has no path below the root: then the
/// kernel's answer does not begin with a slash (CVE-2024-21626).
base::Result<void> check_directory() {
  std::array<char, PATH_MAX> path{};
  // Safety: the raw call, because glibc hides such answers behind ENOENT.
  const long got = ::syscall(SYS_getcwd, path.data(), path.size());
  if (got > 0 && path[0] == '/') return {};
  if (got < 0 && errno != ENOENT) return base::fail_errno("getcwd");
  return base::fail(base::ErrorKind::Invalid,
                    "current working directory is outside of container mount namespace root -- "
                    "possible container breakout");
}

bool installs_filter(const Plan& plan) {
  return plan.seccomp.has_value() && !plan.executable.installs_seccomp;
}

/// Without no_new_privs only a privileged process may install it; a listener has to reach the
/// parent while there is one.
bool filters_early(const Plan& plan) {
  return installs_filter(plan) && (!plan.process.no_new_privileges ||
                                   (plan.seccomp->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0);
}

base::Result<void> install_filter(const Plan& plan, const Channel& channel) {
  const base::UniqueFd listener = TRY(security::install_seccomp(*plan.seccomp));
  if (!listener) return {};
  return channel.ask(MessageType::Listener, listener.get());
}

base::Result<void> enter_directory(const std::string& cwd) {
  if (::chdir(cwd.c_str()) != 0) return base::fail_errno("chdir", cwd);
  return check_directory();
}

/// First with all rights, later again with the user's: either may lack access (root on NFS). Before
/// a filter, which may know no getcwd(2). False: not yet there.
base::Result<bool> try_to_enter_directory(const std::string& cwd) {
  base::Result<void> entered = enter_directory(cwd);
  if (entered) return true;
  const int error = entered.error().sys_errno();
  if (error == EACCES || error == EPERM) return false;
  return std::unexpected(std::move(entered).error());
}

base::Result<void> change_credentials(const Plan& plan) {
  TRY(security::apply_bounding_set(plan.capabilities));
  TRY(security::own_stdio(plan.process.user.uid));
  TRY(security::apply_user(plan.procfs.get(), plan.process.user));
  return security::apply_capabilities(plan.capabilities);
}

/// Signals that ask a program to end do so before there is one. The kernel keeps them from the
/// first process of a pid namespace unless it handles them.
void obey_ends() {
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) {
    // Safety: _exit(2) is async-signal-safe; execve(2) takes the handler away.
    ::signal(number, [](int got) { ::_exit(128 + got); });
  }
}

/// Blocks until `start` opens the other end.
base::Result<base::UniqueFd> wait_for_start(const Plan& plan) {
  obey_ends();
  const std::string path = "self/fd/" + std::to_string(plan.creation->fifo.get());
  return base::with_context(base::open_at(plan.procfs.get(), path, O_WRONLY), "open exec.fifo");
}

void add_home(std::vector<std::string>& env, uid_t uid) {
  if (find_variable(env, "HOME") == nullptr) env.push_back("HOME=" + home_of(uid));
}

base::Result<void> run_start_hooks(const Plan& plan) {
  if (!plan.creation || plan.spec->hooks.start_container.empty()) return {};
  oci::State state = plan.creation->state;
  state.pid = ::getpid();
  state.status = oci::Status::Created;
  std::vector<oci::Hook> list = plan.spec->hooks.start_container;
  for (oci::Hook& each : list) {
    if (!each.env.empty()) continue;
    each.env = plan.process.env;
    add_home(each.env, plan.process.user.uid);
  }
  return hooks::run("startContainer", list, oci::to_json(state));
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (std::string& each : strings) out.push_back(each.data());
  out.push_back(nullptr);
  return out;
}

base::Result<void> move_above(base::UniqueFd& fd, int floor) {
  if (!fd || fd.get() >= floor) return {};
  base::UniqueFd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, floor));
  if (!moved) return base::fail_errno("fcntl(F_DUPFD_CLOEXEC)");
  fd = std::move(moved);
  return {};
}

/// Gives the inherited descriptors their promised numbers, without treading on those still needed.
base::Result<void> place_descriptors(Plan& plan, Channel& channel, base::UniqueFd& fifo) {
  std::vector<base::UniqueFd>& inherited = plan.executable.inherited;
  const int first = 3 + plan.preserved;
  const int floor = first + static_cast<int>(inherited.size());
  if (channel.fd() >= 0) TRY(channel.move_above(floor));
  TRY(move_above(fifo, floor));
  TRY(move_above(plan.executable.file, floor));
  for (base::UniqueFd& each : inherited) TRY(move_above(each, floor));
  for (std::size_t i = 0; i < inherited.size(); ++i) {
    if (::dup2(inherited[i].get(), first + static_cast<int>(i)) < 0) {
      return base::fail_errno("dup2", "inherited descriptor");
    }
  }
  return {};
}

base::Error execute(Plan& plan, const std::string& path) {
  std::vector<std::string> env = plan.process.env;
  keep_last_values(env);
  add_home(env, plan.process.user.uid);
  env.insert(env.end(), plan.executable.env.begin(), plan.executable.env.end());
  std::vector<std::string>& words = plan.executable.file ? plan.executable.argv : plan.process.args;
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> envp = pointers(env);
  if (installs_filter(plan) && !filters_early(plan)) {
    const base::Result<base::UniqueFd> installed = security::install_seccomp(*plan.seccomp);
    if (!installed) return base::Error("seccomp", "", installed.error().sys_errno());
  }
  if (plan.executable.file) {
    // Safety: execveat(2) with an empty path executes the descriptor.
    ::syscall(SYS_execveat, plan.executable.file.get(), "", argv.data(), envp.data(),
              AT_EMPTY_PATH);
  } else {
    ::execve(path.c_str(), argv.data(), envp.data());
  }
  return {"exec", path.empty() ? words.front() : path, errno};
}

base::Result<void> schedule(const Plan& plan) {
  if (plan.process.scheduler) TRY(security::apply_scheduler(*plan.process.scheduler));
  if (plan.process.io_priority) TRY(security::apply_io_priority(*plan.process.io_priority));
  const oci::Linux& section = plan.spec->linux;
  if (section.personality) TRY(security::apply_personality(*section.personality));
  if (section.memory_policy) TRY(security::apply_memory_policy(*section.memory_policy));
  return {};
}

/// While ports below 1024 may be bound and before a filter may forbid it.
base::Result<void> open_listeners(Plan& plan) {
  for (const ListenAddress& each : plan.executable.listeners) {
    base::Result<base::UniqueFd> opened = open_listener(each, plan.process.user);
    const std::string step = std::string("annotation ") + kListenAnnotation;
    plan.executable.inherited.push_back(TRY(base::with_context(std::move(opened), step)));
  }
  return {};
}

/// Up to the point where the parent may leave. The path of the program, empty for a descriptor.
base::Result<std::string> get_ready(Plan& plan, const Channel& channel) {
  TRY(schedule(plan));
  ::umask(022);
  TRY(open_listeners(plan));
  TRY(security::apply_apparmor_profile(plan.procfs.get(), plan.process.apparmor_profile));
  TRY(security::apply_selinux_label(plan.procfs.get(), plan.process.selinux_label));
  if (plan.process.no_new_privileges) TRY(security::set_no_new_privileges());
  const bool is_there = TRY(try_to_enter_directory(plan.process.cwd));
  if (filters_early(plan)) TRY(install_filter(plan, channel));
  // By the parent, who may raise them; without CAP_SYS_RESOURCE it may only set its own user's.
  if (!plan.process.rlimits.empty()) TRY(channel.ask(MessageType::Limits));
  TRY(change_credentials(plan));
  if (!is_there) TRY(enter_directory(plan.process.cwd));
  std::string path;
  if (!plan.executable.file) {
    path = TRY(find_program(plan.process.args.front(), plan.process.env));
  }
  // Changing ids ended PR_SET_PDEATHSIG; from here on the end of the channel says the same.
  if (::prctl(PR_SET_PDEATHSIG, 0) != 0) return base::fail_errno("prctl(PR_SET_PDEATHSIG)");
  TRY(channel.ask(MessageType::Ready));
  return path;
}

}  // namespace

base::Error finish(Plan& plan, Channel& channel) {
  base::Result<std::string> path = get_ready(plan, channel);
  if (!path) return std::move(path).error();
  base::UniqueFd fifo;
  if (plan.creation && plan.creation->fifo) {
    channel.close();
    base::Result<base::UniqueFd> started = wait_for_start(plan);
    if (!started) return std::move(started).error();
    fifo = *std::move(started);
    // A descriptor to the host's state directory must not be there when the program starts
    // (CVE-2016-9962).
    plan.creation->fifo.reset();
  }
  base::Error error = [&]() -> base::Error {
    base::Result<void> done = run_start_hooks(plan);
    plan.procfs.reset();  // before its number is given to another
    if (done) done = place_descriptors(plan, channel, fifo);
    if (!done) return std::move(done).error();
    return execute(plan, *path);
  }();
  if (fifo) static_cast<void>(base::write_all(fifo.get(), encode_error(error), "exec.fifo"));
  return error;
}

}  // namespace runtime::process
