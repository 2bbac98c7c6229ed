#include "shim/service/runtime_calls.hpp"

#include <charconv>

#include "shim/service/bundle_notes.hpp"
#include "shim/service/pod_files.hpp"
#include "shim/service/rootfs_mounts.hpp"

namespace shim::service {
namespace {

base::Result<void> take_streams(const Surroundings& surroundings, const std::string& id,
                                bool terminal) {
  const io::Streams& streams = surroundings.streams;
  if (streams.logger) TRY(io::start_logger(*streams.logger, id, surroundings.name_space));
  if (terminal) return {};
  return io::become_standard_streams(streams);
}

loop::Outcome outcome_of(StartedProcess started) {
  return {std::to_string(started.pid), std::move(started.terminal)};
}

base::Result<loop::Outcome> create_in(const Runtime& runtime, const CreateCall& call,
                                      const Surroundings& surroundings) {
  TRY(take_streams(surroundings, call.id, call.terminal));
  StartedProcess started = TRY(runtime.create(call));
  // Only for the pid in the answer of `delete`.
  static_cast<void>(remember_init(call.bundle, started.pid));
  return outcome_of(std::move(started));
}

}  // namespace

base::Result<loop::Outcome> create(const Runtime& runtime, const CreateCall& call,
                                   const std::vector<protocol::Mount>& rootfs,
                                   const Surroundings& surroundings) {
  const std::string directory = call.bundle + "/rootfs";
  TRY(mount_rootfs(rootfs, directory));
  base::Result<loop::Outcome> created = create_in(runtime, call, surroundings);
  if (!created && !rootfs.empty()) static_cast<void>(unmount_rootfs(directory));
  return created;
}

base::Result<loop::Outcome> prepare_restore(const CreateCall& call,
                                            const std::vector<protocol::Mount>& rootfs) {
  TRY(mount_rootfs(rootfs, call.bundle + "/rootfs"));
  return loop::Outcome{};
}

base::Result<loop::Outcome> restore(const Runtime& runtime, const CreateCall& call,
                                    const std::string& images, const Surroundings& surroundings) {
  TRY(take_streams(surroundings, call.id, call.terminal));
  StartedProcess started = TRY(runtime.restore(call, images));
  static_cast<void>(remember_init(call.bundle, started.pid));
  return outcome_of(std::move(started));
}

base::Result<loop::Outcome> exec(const Runtime& runtime, const ExecCall& call,
                                 const Surroundings& surroundings) {
  TRY(take_streams(surroundings, call.id, call.terminal));
  return outcome_of(TRY(runtime.exec(call)));
}

base::Result<pid_t> parse_started(const loop::Outcome& outcome) {
  pid_t pid = 0;
  const std::string& text = outcome.text;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error == std::errc{} && pid > 0) return pid;
  return base::fail(base::ErrorKind::Internal, "not a process: " + text);
}

base::Result<void> remove(const Runtime& runtime, const std::string& id,
                          const std::string& bundle) {
  base::Result<void> removed = runtime.remove(id);
  base::Result<void> unmounted = unmount_rootfs(bundle + "/rootfs");
  base::Result<void> without_files = remove_pod_files(id);
  if (!removed) return removed;
  return unmounted ? std::move(without_files) : std::move(unmounted);
}

}  // namespace shim::service
