#include "shim/service/library_runtime.hpp"

#include <unistd.h>

#include <cstdlib>

#include "base/file.hpp"
#include "oci/parse.hpp"
#include "runtime/checkpoint/plan.hpp"
#include "runtime/namespaces/user_namespace.hpp"

namespace shim::service {
namespace {

namespace container = runtime::container;

/// <Options.Root or the runtime's default>/<containerd's namespace>: what `wherry --root` takes.
std::string state_root(const protocol::RuncOptions& options, const std::string& name_space) {
  const std::string root = options.root.empty()
                               ? runtime::state::default_root(runtime::namespaces::is_host_root(),
                                                              std::getenv("XDG_RUNTIME_DIR"))
                               : options.root;
  return root + "/" + name_space;
}

void warn(std::string_view text) {
  static_cast<void>(base::write_all(STDERR_FILENO, std::string(text) + "\n", "log"));
}

container::TakeTerminal take_into(base::UniqueFd& terminal) {
  return [&terminal](base::UniqueFd master) -> base::Result<void> {
    terminal = std::move(master);
    return {};
  };
}

}  // namespace

LibraryRuntime::LibraryRuntime(const protocol::RuncOptions& options, const std::string& name_space,
                               runtime::process::ChooseExecutable choose_executable)
    : host_(container::make_host(runtime::state::Store(state_root(options, name_space)), warn,
                                 std::move(choose_executable))),
      no_pivot_(options.no_pivot_root),
      no_new_keyring_(options.no_new_keyring) {
  host_.systemd_cgroup = options.systemd_cgroup;
}

base::Result<StartedProcess> LibraryRuntime::create(const CreateCall& call) const {
  StartedProcess out;
  container::CreateOptions options;
  options.id = call.id;
  options.bundle = call.bundle;
  options.no_pivot = no_pivot_;
  options.no_new_keyring = no_new_keyring_;
  if (call.terminal) options.take_terminal = take_into(out.terminal);
  out.pid = TRY(container::create(host_, options));
  return out;
}

base::Result<void> LibraryRuntime::start(const std::string& id) const {
  return container::start(host_, id);
}

base::Result<StartedProcess> LibraryRuntime::exec(const ExecCall& call) const {
  StartedProcess out;
  container::ExecOptions options;
  options.id = call.id;
  options.process = TRY(oci::parse_process(call.spec));
  options.tty = call.terminal;
  options.detach = true;
  if (call.terminal) options.take_terminal = take_into(out.terminal);
  out.pid = TRY(container::start_exec(host_, options));
  return out;
}

base::Result<void> LibraryRuntime::pause(const std::string& id) const {
  return container::pause(host_, id);
}

base::Result<void> LibraryRuntime::resume(const std::string& id) const {
  return container::resume(host_, id);
}

base::Result<void> LibraryRuntime::update(const std::string& id,
                                          const std::string& resources) const {
  return container::update(host_, id, TRY(oci::parse_resources(resources)));
}

base::Result<void> LibraryRuntime::checkpoint(const CheckpointCall& call) const {
  const protocol::CheckpointOptions& asked = call.options;
  runtime::checkpoint::Options options;
  options.image_path = call.path;
  options.work_path = asked.work_path;
  options.leave_running = !asked.exit;
  options.tcp_established = asked.open_tcp;
  options.external_unix_sockets = asked.external_unix_sockets;
  options.shell_job = asked.terminal;
  options.file_locks = asked.file_locks;
  options.cgroup_mode = TRY(runtime::checkpoint::parse_cgroup_mode(asked.cgroups_mode));
  return container::checkpoint(host_, call.id, options);
}

base::Result<StartedProcess> LibraryRuntime::restore(const CreateCall& call,
                                                     const std::string& images) const {
  StartedProcess out;
  container::RestoreOptions options;
  options.create.id = call.id;
  options.create.bundle = call.bundle;
  if (call.terminal) options.create.take_terminal = take_into(out.terminal);
  options.criu.image_path = images;
  options.criu.work_path = call.bundle;
  options.detach = true;
  out.pid = TRY(container::restore(host_, options)).pid;
  return out;
}

base::Result<void> LibraryRuntime::remove(const std::string& id) const {
  return container::remove(host_, id, true);
}

base::Result<runtime::cgroup::Paths> LibraryRuntime::cgroup(const std::string& id, pid_t) const {
  return TRY(host_.store.load(id)).cgroup;
}

}  // namespace shim::service
