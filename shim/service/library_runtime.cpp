#include "shim/service/runtime_calls.hpp"

#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "base/file.hpp"
#include "oci/parse.hpp"
#include "runtime/workload/choose.hpp"
#include "shim/service/rootfs_mounts.hpp"

namespace shim::service {
namespace {

namespace container = runtime::container;

constexpr std::size_t kMaxPath = 4096;
constexpr char kStateRootFile[] = "/state-root";
constexpr char kSocketFile[] = "/shim-socket";

base::Result<bool> has_private_pids(const std::string& bundle) {
  const std::string text = TRY(base::read_file(bundle + "/config.json", oci::kMaxConfigBytes));
  const oci::Spec spec = TRY(oci::parse_spec(text));
  const auto* const found = spec.linux.find_namespace(oci::NamespaceType::Pid);
  return found != nullptr && found->path.empty();
}

base::Result<loop::Outcome> create_in(const CreateCall& call, const io::Streams& streams) {
  if (streams.logger) TRY(io::start_logger(*streams.logger, call.id, call.name_space));
  if (!call.terminal) TRY(io::become_standard_streams(streams));
  loop::Outcome out;
  container::CreateOptions options;
  options.id = call.id;
  options.bundle = call.bundle;
  options.no_pivot = call.options.no_pivot_root;
  options.no_new_keyring = call.options.no_new_keyring;
  if (call.terminal) {
    options.take_terminal = [&out](base::UniqueFd master) -> base::Result<void> {
      out.descriptor = std::move(master);
      return {};
    };
  }
  const bool is_private = TRY(has_private_pids(call.bundle));
  const pid_t pid = TRY(container::create(make_host(call.state_root), options));
  out.text = std::to_string(pid) + (is_private ? " private" : " shared");
  return out;
}

}  // namespace

std::string state_root(const protocol::RuncOptions& options, const std::string& name_space) {
  const std::string root = options.root.empty() ? runtime::state::default_root(
                                                      ::geteuid(), std::getenv("XDG_RUNTIME_DIR"))
                                                : options.root;
  return root + "/" + name_space;
}

container::Host make_host(const std::string& state_root) {
  container::Host host{runtime::state::Store(state_root), {}, {}, {}};
  host.seccomp_cache =
      runtime::state::default_root(::geteuid(), std::getenv("XDG_RUNTIME_DIR")) + "-seccomp";
  host.warn = [](std::string_view text) {
    static_cast<void>(base::write_all(STDERR_FILENO, std::string(text) + "\n", "log"));
  };
  host.choose_executable = runtime::workload::choose_executable;
  return host;
}

base::Result<loop::Outcome> create(const CreateCall& call, const io::Streams& streams) {
  if (!call.options.binary_name.empty() || call.options.systemd_cgroup) {
    return base::fail(base::ErrorKind::Unsupported, call.options.systemd_cgroup
                                                        ? "option SystemdCgroup: not supported"
                                                        : "option BinaryName: not supported");
  }
  const std::string rootfs = call.bundle + "/rootfs";
  TRY(remember_state_root(call.bundle, call.state_root));
  TRY(mount_rootfs(call.rootfs, rootfs));
  base::Result<loop::Outcome> created = create_in(call, streams);
  if (!created && !call.rootfs.empty()) static_cast<void>(unmount_rootfs(rootfs));
  return created;
}

base::Result<Created> parse_created(const std::string& text) {
  Created out;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, out.pid);
  if (error != std::errc{}) return base::fail(base::ErrorKind::Internal, "created: " + text);
  out.has_private_pids = std::string_view(rest, static_cast<std::size_t>(end - rest)) == " private";
  return out;
}

base::Result<loop::Outcome> exec(const ExecCall& call, const io::Streams& streams) {
  if (streams.logger) TRY(io::start_logger(*streams.logger, call.id, call.name_space));
  if (!call.terminal) TRY(io::become_standard_streams(streams));
  loop::Outcome out;
  container::ExecOptions options;
  options.id = call.id;
  options.process = TRY(oci::parse_process(call.spec));
  options.tty = call.terminal;
  options.detach = true;
  if (call.terminal) {
    options.take_terminal = [&out](base::UniqueFd master) -> base::Result<void> {
      out.descriptor = std::move(master);
      return {};
    };
  }
  out.text = std::to_string(TRY(container::start_exec(make_host(call.state_root), options)));
  return out;
}

base::Result<void> remove(const std::string& state_root, const std::string& id,
                          const std::string& bundle) {
  base::Result<void> removed = container::remove(make_host(state_root), id, true);
  base::Result<void> unmounted = unmount_rootfs(bundle + "/rootfs");
  return removed ? std::move(unmounted) : std::move(removed);
}

base::Result<void> remember_state_root(const std::string& bundle, const std::string& state_root) {
  return base::write_atomic(bundle + kStateRootFile, state_root, 0600);
}

std::string recall_state_root(const std::string& bundle, const std::string& name_space) {
  const auto text = base::read_file(bundle + kStateRootFile, kMaxPath);
  return text && text->starts_with('/') ? *text : state_root({}, name_space);
}

base::Result<void> remember_socket(const std::string& bundle, const std::string& socket) {
  return base::write_atomic(bundle + kSocketFile, socket, 0600);
}

std::string recall_socket(const std::string& bundle) {
  return base::read_file(bundle + kSocketFile, kMaxPath).value_or(std::string());
}

}  // namespace shim::service
