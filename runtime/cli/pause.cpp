// wherry pause, wherry resume
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/state/status.hpp"

namespace runtime::cli {
namespace {

struct Locked {
  state::Entry entry;
  state::Record record;
  oci::Status status;
};

base::Result<Locked> lock_container(const Invocation& invocation) {
  const std::string& id = invocation.arguments.positional().front();
  state::Entry entry = TRY(invocation.globals.store.lock(id, kLockPatience));
  state::Record record = TRY(entry.load());
  const oci::Status status = state::status_of(record);
  return Locked{std::move(entry), std::move(record), status};
}

base::Result<int> pause(const Invocation& invocation) {
  const Locked container = TRY(lock_container(invocation));
  if (container.status != oci::Status::Running && container.status != oci::Status::Created) {
    return base::fail(base::ErrorKind::WrongState, "container not running");
  }
  TRY(cgroup::Cgroup(container.record.cgroup).freeze());
  return 0;
}

base::Result<int> resume(const Invocation& invocation) {
  const Locked container = TRY(lock_container(invocation));
  if (container.status != oci::Status::Paused) {
    return base::fail(base::ErrorKind::WrongState, "container not paused");
  }
  TRY(cgroup::Cgroup(container.record.cgroup).thaw());
  return 0;
}

}  // namespace

constinit const Command kPause{
    .name = "pause",
    .synopsis = "<container-id>",
    .summary = "stop all processes of a container for a while",
    .description =
        "Freezes the cgroup of the container. Its processes keep their memory and files and\n"
        "do nothing until resume.",
    .least_arguments = 1,
    .most_arguments = 1,
    .run = pause,
};

constinit const Command kResume{
    .name = "resume",
    .synopsis = "<container-id>",
    .summary = "let a paused container go on",
    .description = "Thaws the cgroup that pause froze.",
    .least_arguments = 1,
    .most_arguments = 1,
    .run = resume,
};

}  // namespace runtime::cli
