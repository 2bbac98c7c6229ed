// exec: a further process in a container's namespaces and cgroups.
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/file.hpp"
#include "oci/parse.hpp"
#include "oci/validate.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/container/bundle.hpp"
#include "runtime/container/foreground.hpp"
#include "runtime/container/unit.hpp"
#include "runtime/process/launch.hpp"
#include "runtime/process/terminal.hpp"
#include "runtime/resctrl/groups.hpp"
#include "runtime/security/process_attributes.hpp"
#include "runtime/security/rlimits.hpp"
#include "runtime/security/seccomp_agent.hpp"
#include "runtime/state/process_id.hpp"
#include "runtime/state/status.hpp"

namespace runtime::container {
namespace {

/// All of the text or nothing: "1000x" must not become 1000, nor an empty text 0 (CVE-2026-30892).
base::Result<std::uint32_t> parse_id(std::string_view text) {
  std::uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && rest == end && value != UINT32_MAX) return value;
  return base::fail(base::ErrorKind::Invalid,
                    "invalid user or group id \"" + std::string(text) + '"');
}

base::Result<void> set_user(std::string_view text, oci::User& user) {
  const std::size_t colon = text.find(':');
  user.uid = TRY(parse_id(text.substr(0, colon)));
  if (colon != text.npos) user.gid = TRY(parse_id(text.substr(colon + 1)));
  return {};
}

void add_capability(const std::string& name, oci::Capabilities& out) {
  // Not the inheritable set: what is in it survives the exec of a program (CVE-2022-29162).
  for (std::vector<std::string>* set : {&out.bounding, &out.effective, &out.permitted}) {
    set->push_back(name);
  }
  // Only where config.json had it inheritable can it be ambient (capabilities(7)).
  if (std::ranges::find(out.inheritable, name) != out.inheritable.end()) {
    out.ambient.push_back(name);
  }
}

base::Result<oci::Process> model_process(const oci::Spec& spec, const ExecOptions& options) {
  oci::Process out = *spec.process;
  out.args = options.args;
  out.terminal = options.tty.value_or(false);
  out.console_size.reset();
  if (!options.cwd.empty()) out.cwd = options.cwd;
  out.env.insert(out.env.end(), options.env.begin(), options.env.end());
  if (!options.user.empty()) TRY(set_user(options.user, out.user));
  out.user.additional_gids.insert(out.user.additional_gids.end(), options.additional_gids.begin(),
                                  options.additional_gids.end());
  if (!options.capabilities.empty() && !out.capabilities) out.capabilities.emplace();
  for (const std::string& name : options.capabilities) add_capability(name, *out.capabilities);
  if (!options.apparmor.empty()) out.apparmor_profile = options.apparmor;
  if (!options.process_label.empty()) out.selinux_label = options.process_label;
  if (options.no_new_privileges) out.no_new_privileges = *options.no_new_privileges;
  return out;
}

base::Result<oci::Process> plan_process(const oci::Spec& spec, const ExecOptions& options) {
  oci::Process out = options.process ? *options.process : TRY(model_process(spec, options));
  if (options.process && options.tty) out.terminal = *options.tty;
  if (out.args.empty()) {
    return base::fail(base::ErrorKind::Invalid, "exec args cannot be empty");
  }
  TRY(oci::validate(out));
  TRY(check_terminal(out.terminal, options.detach,
                     !options.console_socket.empty() || options.take_terminal));
  return out;
}

base::Result<void> check_status(oci::Status status, bool ignores_pause) {
  if (status == oci::Status::Stopped) {
    return base::fail(base::ErrorKind::WrongState, "cannot exec in a stopped container");
  }
  if (status == oci::Status::Creating) {
    return base::fail(base::ErrorKind::WrongState,
                      "cannot exec in a container that is being created");
  }
  if (status == oci::Status::Paused && !ignores_pause) {
    return base::fail(base::ErrorKind::WrongState,
                      "cannot exec in a paused container (use --ignore-paused to override)");
  }
  return {};
}

/// `asked` is PATH for all hierarchies, or CONTROLLER[,CONTROLLER...]:PATH for those of v1 that are
/// named.
base::Result<void> go_below(cgroup::Paths& paths, const std::string& asked) {
  const std::size_t colon = asked.find(':');
  const std::string below = colon == asked.npos ? asked : asked.substr(colon + 1);
  if (("/" + below + "/").find("/../") != std::string::npos) {
    return base::fail(base::ErrorKind::Invalid, "bad sub cgroup path: " + below);
  }
  const std::string clean = below.empty() || below == "/" ? "" : rootfs::clean_path(below);
  if (colon == asked.npos) {
    for (auto& [controller, path] : paths) path += clean;
    return {};
  }
  std::string_view names = std::string_view(asked).substr(0, colon);
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(','), names.size());
    const auto at = paths.find(std::string(names.substr(0, end)));
    if (at == paths.end()) {
      return base::fail(base::ErrorKind::Invalid,
                        "unknown controller " + std::string(names.substr(0, end)));
    }
    // Controllers that are mounted together have one directory.
    const std::string old = at->second;
    for (auto& [controller, path] : paths) {
      if (path == old) path += clean;
    }
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return {};
}

base::Result<cgroup::Paths> exec_cgroup(const state::Record& record,
                                        const std::vector<std::string>& below) {
  cgroup::Paths out = record.cgroup;
  for (const std::string& each : below) TRY(go_below(out, each));
  return out;
}

/// v2: the part of --cgroup; systemd moves processes nowhere else.
std::string below_unit(const state::Record& record, const cgroup::Paths& paths) {
  const auto top = record.cgroup.find("");
  const auto chosen = paths.find("");
  if (top == record.cgroup.end() || chosen == paths.end()) return "";
  return chosen->second.substr(top->second.size());
}

/// Once a container has given controllers to cgroups below its own one, v2 allows no process there
/// any more (cgroup-v2.rst, "No Internal Process Constraint"); its first process then has moved
/// down.
bool takes_no_processes(const base::Error& error) {
  return error.sys_errno() == EBUSY || error.sys_errno() == ENOENT ||
         error.sys_errno() == EOPNOTSUPP;
}

/// Where the first process is in v2, if that is below the container's cgroup.
base::Result<std::string> cgroup_of_init(const state::Record& record) {
  const cgroup::Host host = TRY(cgroup::detect_host_of(record.init->pid));
  const cgroup::Hierarchy* unified = host.unified();
  const auto own = record.cgroup.find("");
  if (unified != nullptr && own != record.cgroup.end()) {
    std::string path = unified->mount_point + unified->own_path;
    if (path.starts_with(own->second + '/')) return path;
  }
  return base::fail(base::ErrorKind::WrongState,
                    "the container's first process is not below its cgroup");
}

base::Result<void> follow_init(const state::Record& record, cgroup::Paths paths, pid_t pid,
                               base::Error reason) {
  const base::Result<std::string> place = cgroup_of_init(record);
  if (!place) return std::unexpected(std::move(reason));
  paths[""] = *place;
  return cgroup::Cgroup(std::move(paths)).add(pid);
}

base::Result<void> enter_resctrl(const state::Record& record, pid_t pid) {
  if (!record.resctrl) return {};
  base::Result<void> entered = resctrl::enter(*record.resctrl, pid);
  // Whoever unmounted resctrl has taken the container's limits as well.
  if (!entered && entered.error().sys_errno() == ENOENT) return {};
  return base::with_context(std::move(entered), "enter resctrl group");
}

struct Target {
  state::Record record;
  oci::Spec spec;
};

base::Result<Target> find_target(const Host& host, const ExecOptions& options) {
  Target out;
  out.record = TRY(host.store.load(options.id));
  TRY(check_status(state::status_of(out.record), options.ignore_paused));
  const std::string config = TRY(host.store.load_config(options.id));
  out.spec = TRY(oci::parse_spec(config));
  return out;
}

base::Result<void> plan_exec(const Host& host, const ExecOptions& options, const Target& target,
                             process::Plan& plan) {
  const oci::Spec& spec = target.spec;
  plan.spec = &spec;
  plan.process = TRY(plan_process(spec, options));
  plan.preserved = TRY(preserve_descriptors(options.preserve_fds, plan.process));
  plan.procfs = TRY(process::open_procfs());
  process::Joining joining;
  joining.pidfd = TRY(state::open_process(*target.record.init));
  joining.pid = target.record.init->pid;
  plan.has_user_namespace = spec.linux.find_namespace(oci::NamespaceType::User) != nullptr;
  plan.seccomp = TRY(plan_seccomp(host, spec));
  plan.capabilities =
      plan_capabilities(host, plan.process, security::held_capabilities(), plan.has_user_namespace);
  if (host.choose_executable) {
    const std::string path = std::to_string(joining.pid) + "/root";
    const base::UniqueFd root = TRY(base::open_at(plan.procfs.get(), path, O_PATH | O_DIRECTORY));
    plan.executable =
        TRY(host.choose_executable({spec, plan.process, root.get(), true, 3 + plan.preserved,
                                    plan.seccomp ? &*plan.seccomp : nullptr}));
  }
  plan.joining = std::move(joining);
  return {};
}

base::Result<process::Child> launch_exec(const ExecOptions& options, const Target& target,
                                         process::Plan& plan, base::UniqueFd& master_out) {
  const cgroup::Cgroup cgroup(TRY(exec_cgroup(target.record, options.cgroups)));
  process::Steps steps;
  steps.enter_cgroups = [&](pid_t pid, bool in_unified) -> base::Result<void> {
    base::Result<void> joined = in_unified ? cgroup.add_to_v1(pid) : cgroup.add(pid);
    if (!joined && options.cgroups.empty() && takes_no_processes(joined.error())) {
      joined = follow_init(target.record, cgroup.paths(), pid, std::move(joined).error());
    }
    if (!joined && joined.error().sys_errno() == EACCES && target.record.unit) {
      joined = attach_to_unit(*target.record.unit, below_unit(target.record, cgroup.paths()), pid);
    }
    TRY(base::with_context(std::move(joined), "adding pid " + std::to_string(pid) + " to cgroups"));
    return enter_resctrl(target.record, pid);
  };
  steps.attach = [&](pid_t pid) -> base::Result<void> {
    if (!plan.process.oom_score_adj) return {};
    return security::write_oom_score_adj(plan.procfs.get(), pid, *plan.process.oom_score_adj);
  };
  steps.take_terminal = [&](base::UniqueFd master) -> base::Result<void> {
    if (options.take_terminal) return options.take_terminal(std::move(master));
    if (options.console_socket.empty()) {
      process::keep_line_ends(master.get());
      master_out = std::move(master);
      return {};
    }
    return base::with_context(
        process::send_descriptor(options.console_socket, master.get(), "/dev/ptmx"),
        "console socket");
  };
  steps.take_listener = [&](pid_t pid, base::UniqueFd listener) -> base::Result<void> {
    oci::ContainerProcessState state;
    state.oci_version = target.spec.oci_version;
    state.fds = {"seccompFd"};
    state.pid = pid;
    state.metadata = target.spec.linux.seccomp->listener_metadata;
    state.state = state::to_oci_state(target.record, oci::Status::Running);
    return security::send_seccomp_listener(target.spec.linux.seccomp->listener_path, state,
                                           listener.get());
  };
  steps.set_limits = [&](pid_t pid) { return security::apply_rlimits(plan.process.rlimits, pid); };
  const base::Result<base::UniqueFd> unified = cgroup.open_unified();
  return process::launch(plan, steps, unified && *unified ? unified->get() : -1);
}

base::Result<void> hand_out(const ExecOptions& options, const process::Child& child) {
  if (!options.pidfd_socket.empty()) {
    TRY(base::with_context(
        process::send_descriptor(options.pidfd_socket, child.pidfd.get(), "pidfd"),
        "pidfd socket"));
  }
  if (options.pid_file.empty()) return {};
  return base::write_atomic(options.pid_file, std::to_string(child.pid), 0644);
}

/// Until its program runs.
base::Result<process::Child> begin(const Host& host, const ExecOptions& options,
                                   base::UniqueFd& master) {
  const Target target = TRY(find_target(host, options));
  process::Plan plan;
  TRY(trace::phase(host.recorder, "plan", [&] { return plan_exec(host, options, target, plan); }));
  process::Child child = TRY(
      base::with_context(trace::phase(host.recorder, "process",
                                      [&] { return launch_exec(options, target, plan, master); }),
                         "exec failed: unable to start container process"));
  base::Result<void> done = hand_out(options, child);
  if (done) {
    done = trace::phase(host.recorder, "execute", [&child] { return child.execute(); });
    done = base::with_context(std::move(done), "exec failed: unable to start container process");
  }
  if (done) return child;
  child.end();
  return std::unexpected(std::move(done).error());
}

}  // namespace

base::Result<pid_t> start_exec(const Host& host, const ExecOptions& options) {
  base::UniqueFd master;
  return TRY(begin(host, options, master)).pid;
}

base::Result<int> exec(const Host& host, const ExecOptions& options) {
  if (options.detach) {
    static_cast<void>(TRY(start_exec(host, options)));
    return 0;
  }
  const SignalForwarding forwarding = TRY(SignalForwarding::begin());
  base::UniqueFd master;
  const process::Child child = TRY(begin(host, options, master));
  return wait_in_foreground(child.pid, forwarding, std::move(master));
}

}  // namespace runtime::container
