#include "runtime/container/creating.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include <utility>

#include "base/file.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/container/cgroups.hpp"
#include "runtime/container/notify.hpp"
#include "runtime/hooks/hooks.hpp"
#include "runtime/namespaces/id_maps.hpp"
#include "runtime/namespaces/user_namespace.hpp"
#include "runtime/process/terminal.hpp"
#include "runtime/resctrl/groups.hpp"
#include "runtime/security/process_attributes.hpp"
#include "runtime/security/rlimits.hpp"
#include "runtime/security/seccomp_agent.hpp"
#include "runtime/state/leftovers.hpp"
#include "runtime/state/process_id.hpp"
#include "runtime/state/status.hpp"

namespace runtime::container {
namespace {

/// The order of its members is the order of the effects; discard() undoes them.
class Maker {
 public:
  Maker(const Host& host, const CreateOptions& options, Bundle bundle, state::Entry entry)
      : host_(host), options_(options), bundle_(std::move(bundle)), entry_(std::move(entry)) {}

  base::Result<void> make(bool with_fifo) {
    TRY(trace::phase(host_.recorder, "intent", [this] { return record_intent(); }));
    TRY(trace::phase(host_.recorder, "plan", [&] { return plan_process(with_fifo); }));
    // A unit begins with a process, so there is none of its cgroups to be born in.
    if (!cgroups_.has_unit()) {
      TRY(trace::phase(host_.recorder, "cgroups", [this] { return cgroups_.make(); }));
    }
    if (resctrl_) TRY(trace::phase(host_.recorder, "resctrl", [this] { return make_resctrl(); }));
    cgroups_.show_in(plan_.creation->rootfs);
    const base::UniqueFd unified =
        cgroups_.has_unit() ? base::UniqueFd() : TRY(cgroups_.handle().open_unified());
    child_ = TRY(base::with_context(
        trace::phase(host_.recorder, "process",
                     [&] { return process::launch(plan_, steps(), unified ? unified.get() : -1); }),
        "unable to start container process"));
    TRY(hand_out());
    record_.phase = state::Phase::Created;
    return entry_.save(record_);
  }

  /// After a failure.
  void undo() {
    child_.end();
    if (resctrl_) static_cast<void>(resctrl::undo(*resctrl_));
    // Hooks that ran before have their counterparts (runtime.md, "Lifecycle").
    static_cast<void>(discard(host_, entry_, record_, record_.init ? &bundle_.spec : nullptr));
  }

  /// Why the kernel may have killed the child.
  std::string cause() const {
    return cgroups_.handle().oom_kills() > 0
               ? "container init was OOM-killed (memory limit too low?)"
               : "";
  }

  Made take() {
    return {std::move(entry_), std::move(record_), std::move(bundle_.spec), std::move(child_),
            std::move(master_)};
  }

 private:
  const oci::Spec& spec() const { return bundle_.spec; }

  base::Result<void> record_intent() {
    record_ = TRY(new_record(bundle_, options_.id));
    if (!host_.notify_socket.empty()) {
      TRY(prepare_notify(bundle_.spec, entry_.notify_directory()));
    }
    rootfs_ = TRY(rootfs::plan_rootfs(spec(), bundle_.path));
    rootfs_.no_pivot = options_.no_pivot;
    // The rights of who is root of a user namespace only do not reach to device nodes.
    if (!namespaces::is_host_root()) rootfs_.binds_devices = true;
    record_.rootfs = rootfs_.root;
    TRY(cgroups_.place());
    TRY(plan_resctrl());
    TRY(entry_.save(record_));
    return entry_.save_config(bundle_.config);
  }

  base::Result<void> plan_resctrl() {
    if (!spec().linux.intel_rdt) return {};
    base::Result<resctrl::Host> host = resctrl::detect_host();
    if (!host && host.error().kind() == base::ErrorKind::NotFound) {
      return base::fail(base::ErrorKind::Unsupported,
                        "intelRdt is specified in config, but Intel RDT is not enabled");
    }
    if (!host) return std::unexpected(std::move(host).error());
    resctrl_ = TRY(resctrl::plan_groups(*spec().linux.intel_rdt, options_.id, *host));
    record_.resctrl = resctrl_->groups;
    // The intent: a create that dies takes its own class with it, never one that was there.
    record_.resctrl->owns_control =
        resctrl_->is_private && ::access(resctrl_->groups.control.c_str(), F_OK) != 0;
    return {};
  }

  base::Result<void> make_resctrl() {
    TRY(base::with_context(resctrl::make(*resctrl_), "make resctrl group"));
    record_.resctrl->owns_control = resctrl_->is_private && resctrl_->groups.owns_control;
    return {};
  }

  base::Result<void> plan_process(bool with_fifo) {
    plan_.spec = &bundle_.spec;
    plan_.process = *spec().process;
    plan_.preserved = TRY(preserve_descriptors(options_.preserve_fds, plan_.process));
    plan_.procfs = TRY(process::open_procfs());
    process::Creation creation;
    creation.namespaces = namespaces::plan(spec().linux);
    creation.joined = TRY(namespaces::open_joined(creation.namespaces));
    creation.net_devices = TRY(namespaces::plan_net_devices(spec().linux.net_devices));
    plan_.has_user_namespace = creation.namespaces.has(CLONE_NEWUSER);
    if (!spec().mounts.empty() && !creation.namespaces.is_new(CLONE_NEWNS)) {
      warn(host_, "without a new mount namespace the mounts of config.json are not made");
    }
    creation.rootfs = std::move(rootfs_);
    creation.rootfs.may_ask = plan_.has_user_namespace && ::geteuid() == 0;
    creation.state = state::to_oci_state(record_, oci::Status::Creating);
    if (!options_.no_new_keyring) creation.keyring = "_ses." + options_.id;
    plan_.seccomp = TRY(plan_seccomp(host_, spec()));
    if (host_.choose_executable) {
      TRY(trace::phase(host_.recorder, "workload", [&] { return choose_executable(creation); }));
    }
    plan_.capabilities = plan_capabilities(host_, plan_.process, security::held_capabilities(),
                                           plan_.has_user_namespace);
    if (with_fifo) creation.fifo = TRY(make_fifo());
    plan_.creation = std::move(creation);
    return {};
  }

  base::Result<void> choose_executable(const process::Creation& creation) {
    const base::UniqueFd root = TRY(base::with_context(
        base::open_file(creation.rootfs.root, O_PATH | O_DIRECTORY), "open rootfs"));
    plan_.executable =
        TRY(host_.choose_executable({spec(), plan_.process, root.get(), false, 3 + plan_.preserved,
                                     plan_.seccomp ? &*plan_.seccomp : nullptr}));
    record_.is_wasm = static_cast<bool>(plan_.executable.file);
    return {};
  }

  base::Result<base::UniqueFd> make_fifo() {
    const std::string path = entry_.fifo_path();
    // Init opens it as the container's user, by this descriptor; nobody else can reach the path.
    if (::mkfifo(path.c_str(), 0) != 0) return base::fail_errno("mkfifo", path);
    if (::chmod(path.c_str(), 0622) != 0) return base::fail_errno("chmod", path);
    return base::open_file(path, O_PATH | O_NOFOLLOW);
  }

  base::Result<void> enter_resctrl(pid_t pid) {
    if (!resctrl_) return {};
    return base::with_context(resctrl::enter(resctrl_->groups, pid), "enter resctrl group");
  }

  process::Steps steps() {
    process::Steps out;
    out.enter_cgroups = [this](pid_t pid, bool in_unified) {
      return trace::phase(host_.recorder, "enter cgroups", [&]() -> base::Result<void> {
        TRY(enter_resctrl(pid));
        return cgroups_.enter(pid, in_unified);
      });
    };
    out.attach = [this](pid_t pid) {
      return trace::phase(host_.recorder, "attach", [&] { return attach(pid); });
    };
    out.run_hooks = [this](pid_t) {
      return trace::phase(host_.recorder, "runtime hooks", [this] { return run_runtime_hooks(); });
    };
    out.take_terminal = [this](base::UniqueFd master) -> base::Result<void> {
      if (options_.take_terminal) return options_.take_terminal(std::move(master));
      if (options_.console_socket.empty()) {
        process::keep_line_ends(master.get());
        master_ = std::move(master);
        return {};
      }
      return base::with_context(
          process::send_descriptor(options_.console_socket, master.get(), "/dev/ptmx"),
          "console socket");
    };
    out.take_listener = [this](pid_t pid, base::UniqueFd listener) -> base::Result<void> {
      oci::ContainerProcessState state;
      state.oci_version = spec().oci_version;
      state.fds = {"seccompFd"};
      state.pid = pid;
      state.metadata = spec().linux.seccomp->listener_metadata;
      state.state = state::to_oci_state(record_, oci::Status::Creating);
      return security::send_seccomp_listener(spec().linux.seccomp->listener_path, state,
                                             listener.get());
    };
    out.set_limits = [this](pid_t pid) -> base::Result<void> {
      return security::apply_rlimits(spec().process->rlimits, pid);
    };
    return out;
  }

  base::Result<void> attach(pid_t pid) {
    record_.init = TRY(state::identify(pid));
    TRY(entry_.save(record_));
    if (plan_.creation->namespaces.is_new(CLONE_NEWUSER)) {
      TRY(base::with_context(namespaces::write_id_maps(plan_.procfs.get(), pid, spec().linux),
                             "map ids"));
    }
    TRY(move_net_devices(pid));
    if (spec().process->oom_score_adj) {
      TRY(security::write_oom_score_adj(plan_.procfs.get(), pid, *spec().process->oom_score_adj));
    }
    return {};
  }

  base::Result<void> move_net_devices(pid_t pid) {
    const process::Creation& creation = *plan_.creation;
    if (creation.net_devices.empty()) return {};
    // A namespace that is joined is known; the process may not have entered it yet.
    const auto joined =
        std::ranges::find(creation.joined, CLONE_NEWNET, &namespaces::OpenNamespace::flag);
    if (joined != creation.joined.end()) {
      return namespaces::move_net_devices(creation.net_devices, joined->file.get());
    }
    const base::UniqueFd own =
        TRY(base::open_at(plan_.procfs.get(), std::to_string(pid) + "/ns/net", O_RDONLY));
    return namespaces::move_net_devices(creation.net_devices, own.get());
  }

  base::Result<void> run_runtime_hooks() {
    const std::string state = oci::to_json(state::to_oci_state(record_, oci::Status::Creating));
    TRY(hooks::run("prestart", spec().hooks.prestart, state));
    return hooks::run("createRuntime", spec().hooks.create_runtime, state);
  }

  base::Result<void> hand_out() {
    if (!options_.pidfd_socket.empty()) {
      TRY(base::with_context(
          process::send_descriptor(options_.pidfd_socket, child_.pidfd.get(), "pidfd"),
          "pidfd socket"));
    }
    if (options_.pid_file.empty()) return {};
    return base::write_atomic(options_.pid_file, std::to_string(child_.pid), 0644);
  }

  const Host& host_;
  const CreateOptions& options_;
  Bundle bundle_;
  state::Entry entry_;
  state::Record record_;
  ContainerCgroups cgroups_{host_, bundle_.spec, entry_, record_};
  std::optional<resctrl::Plan> resctrl_;  ///< with linux.intelRdt
  rootfs::RootfsPlan rootfs_;
  process::Plan plan_;
  process::Child child_;
  base::UniqueFd master_;
};

}  // namespace

base::Result<Made> make_container(const Host& host, const CreateOptions& options, bool detached,
                                  bool with_fifo) {
  Bundle bundle =
      TRY(trace::phase(host.recorder, "bundle", [&] { return load_bundle(host, options.bundle); }));
  TRY(check_terminal(bundle.spec.process->terminal, detached,
                     !options.console_socket.empty() || options.take_terminal));
  state::Entry entry = TRY(host.store.claim(options.id));
  Maker maker(host, options, std::move(bundle), std::move(entry));
  base::Result<void> made = maker.make(with_fifo);
  if (made) return maker.take();
  if (const std::string cause = maker.cause(); !cause.empty()) made.error().add_context(cause);
  maker.undo();
  return std::unexpected(std::move(made).error());
}

base::Result<void> finish_start(const Host& host, const state::Entry& entry, state::Record& record,
                                const oci::Spec& spec) {
  record.phase = state::Phase::Started;
  TRY(entry.save(record));
  ::unlink(entry.fifo_path().c_str());
  base::Result<void> done = trace::phase(host.recorder, "poststart hooks", [&] {
    return hooks::run("poststart", spec.hooks.poststart,
                      oci::to_json(state::to_oci_state(record, oci::Status::Running)));
  });
  if (!done && record.init) {
    const cgroup::Cgroup cgroup(record.cgroup);
    if (!record.cgroup.empty()) static_cast<void>(cgroup.kill_all(SIGKILL));
    ::kill(record.init->pid, SIGKILL);
  }
  return done;
}

base::Result<void> discard(const Host& host, state::Entry& entry, const state::Record& record,
                           const oci::Spec* spec) {
  base::Result<void> removed =
      trace::phase(host.recorder, "remove", [&record] { return state::remove_leftovers(record); });
  if (spec != nullptr) {
    const std::string state = oci::to_json(state::to_oci_state(record, oci::Status::Stopped));
    for (const std::string& each : hooks::run_all("poststop", spec->hooks.poststop, state)) {
      warn(host, each);
    }
  }
  if (!removed) return removed;
  return entry.remove();
}

}  // namespace runtime::container
