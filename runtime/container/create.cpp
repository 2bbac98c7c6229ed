// create and start: two processes, which meet at exec.fifo.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "base/file.hpp"
#include "oci/parse.hpp"
#include "runtime/container/container.hpp"
#include "runtime/container/creating.hpp"
#include "runtime/container/notify.hpp"
#include "runtime/process/channel.hpp"
#include "runtime/state/process_id.hpp"
#include "runtime/state/status.hpp"

namespace runtime::container {
namespace {

constexpr std::chrono::seconds kPatience{10};
constexpr std::size_t kMaxErrorBytes = 16384;

/// What init writes: nothing if its program runs, otherwise an error.
base::Result<void> read_outcome(int fifo, const std::string& path) {
  const std::string body = TRY(base::read_all(fifo, kMaxErrorBytes, path));
  if (body.empty()) return {};
  return std::unexpected(process::decode_error(body));
}

base::Result<void> release(const state::Entry& entry, const state::ProcessId& init) {
  const base::UniqueFd pidfd = TRY(state::open_process(init));
  const std::string path = entry.fifo_path();
  // Without blocking: a dead init never opens the other end. Before init comes, and only then, poll
  // reports nothing on it (fifo(7)).
  const base::UniqueFd fifo = TRY(base::open_file(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW));
  std::array<pollfd, 2> waits{pollfd{fifo.get(), POLLIN, 0}, pollfd{pidfd.get(), POLLIN, 0}};
  while (::poll(waits.data(), waits.size(), -1) < 0) {
    if (errno != EINTR) return base::fail_errno("poll", path);
  }
  // It may write in several parts: wait for its end.
  const int flags = ::fcntl(fifo.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fifo.get(), F_SETFL, flags & ~O_NONBLOCK) != 0) {
    return base::fail_errno("fcntl(F_SETFL)", path);
  }
  return read_outcome(fifo.get(), path);
}

}  // namespace

base::Result<pid_t> create(const Host& host, const CreateOptions& options) {
  Made made = TRY(make_container(host, options, true, true));
  base::Result<void> gone = made.child.let_go();
  if (gone) return made.child.pid;
  made.child.end();
  static_cast<void>(discard(host, made.entry, made.record, nullptr));
  return std::unexpected(std::move(gone).error());
}

base::Result<void> start(const Host& host, std::string_view id) {
  state::Entry entry = TRY(host.store.lock(id, kPatience));
  state::Record record = TRY(entry.load());
  switch (state::status_of(record)) {
    case oci::Status::Created:
      break;
    case oci::Status::Running:
    case oci::Status::Paused:
      return base::fail(base::ErrorKind::WrongState, "cannot start an already running container");
    default:
      return base::fail(base::ErrorKind::WrongState, "cannot start a container that has stopped");
  }
  const std::string config = TRY(entry.load_config());
  const oci::Spec spec = TRY(oci::parse_spec(config));
  // Before the program runs: it may be ready at once.
  const base::Result<NotifySocket> notify = NotifySocket::listen(entry.notify_directory());
  const base::UniqueFd init = TRY(state::open_process(*record.init));
  TRY(base::with_context(
      trace::phase(host.recorder, "execute", [&] { return release(entry, *record.init); }),
      "start container"));
  TRY(finish_start(host, entry, record, spec));
  if (!notify || host.notify_socket.empty()) return {};
  // It may take its time; others want the container meanwhile.
  {
    const state::Entry released = std::move(entry);
  }
  return notify->forward(host.notify_socket, init.get(), record.init->pid);
}

}  // namespace runtime::container
