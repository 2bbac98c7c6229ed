// run: create and start in one process, which then waits for the container's end.
#include <sys/prctl.h>

#include <chrono>
#include <optional>

#include "runtime/container/creating.hpp"
#include "runtime/container/foreground.hpp"
#include "runtime/container/notify.hpp"

namespace runtime::container {
namespace {

constexpr std::chrono::seconds kPatience{10};

base::Result<void> start_made(const Host& host, Made& made, std::optional<NotifySocket>& notify) {
  base::Result<void> started;
  if (!host.notify_socket.empty()) {
    base::Result<NotifySocket> socket = NotifySocket::listen(made.entry.notify_directory());
    if (socket) {
      notify = *std::move(socket);
    } else {
      started = std::unexpected(std::move(socket).error());
    }
  }
  if (started) {
    started = trace::phase(host.recorder, "execute", [&made] { return made.child.execute(); });
  }
  if (started) started = finish_start(host, made.entry, made.record, made.spec);
  if (started) return started;
  started.error().add_context("unable to start container process");
  made.child.end();
  static_cast<void>(discard(host, made.entry, made.record, &made.spec));
  return started;
}

}  // namespace

base::Result<int> run(const Host& host, const RunOptions& options) {
  std::optional<SignalForwarding> forwarding;
  if (!options.detach) {
    forwarding.emplace(TRY(SignalForwarding::begin()));
    if (!options.no_subreaper && ::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
      return base::fail_errno("prctl(PR_SET_CHILD_SUBREAPER)");
    }
  }
  std::optional<Made> made = TRY(make_container(host, options.create, options.detach, false));
  std::optional<NotifySocket> notify;
  TRY(start_made(host, *made, notify));
  if (options.detach) {
    const process::Child child = std::move(made->child);
    made.reset();
    if (notify) TRY(notify->forward(host.notify_socket, child.pidfd.get(), child.pid));
    return 0;
  }
  if (notify) TRY(notify->forward_beside(host.notify_socket, made->child.pidfd.get()));
  Attended attended{options.create.id, std::move(made->spec), made->child.pid,
                    std::move(made->master), options.keep};
  // Others may change the container while it runs.
  made.reset();
  return attend(host, std::move(attended), *forwarding);
}

base::Result<int> attend(const Host& host, Attended container, const SignalForwarding& forwarding) {
  const int status =
      TRY(wait_in_foreground(container.pid, forwarding, std::move(container.master)));
  if (container.keep) return status;
  base::Result<state::Entry> entry = host.store.lock(container.id, kPatience);
  if (!entry && entry.error().kind() == base::ErrorKind::NotFound)
    return status;  // deleted by others
  if (!entry) return std::unexpected(std::move(entry).error());
  const state::Record record = TRY(entry->load());
  TRY(discard(host, *entry, record, &container.spec));
  return status;
}

}  // namespace runtime::container
