#include "shim/events/out_of_memory.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "base/file.hpp"
#include "runtime/cgroup/cgroup.hpp"

namespace shim::events {
namespace {

base::Result<base::UniqueFd> watch_v1(const std::string& directory) {
  base::UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return base::fail_errno("eventfd", directory);
  const base::UniqueFd control = TRY(base::open_file(directory + "/memory.oom_control", O_RDONLY));
  TRY(base::write_existing(directory + "/cgroup.event_control",
                           std::to_string(event.get()) + " " + std::to_string(control.get())));
  return event;
}

base::Result<base::UniqueFd> watch_v2(const std::string& directory) {
  base::UniqueFd event(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  const std::string file = directory + "/memory.events";
  if (!event || ::inotify_add_watch(event.get(), file.c_str(), IN_MODIFY) < 0) {
    return base::fail_errno("inotify_add_watch", file);
  }
  return event;
}

}  // namespace

base::Result<OutOfMemoryWatch> OutOfMemoryWatch::make(loop::Loop& loop,
                                                      const runtime::cgroup::Paths& paths,
                                                      std::function<void()> notify) {
  const auto v1 = paths.find("memory");
  const auto v2 = paths.find("");
  if (v1 == paths.end() &&
      (v2 == paths.end() || ::access((v2->second + "/memory.events").c_str(), R_OK) != 0)) {
    return OutOfMemoryWatch(loop, {});
  }
  base::UniqueFd events = v1 != paths.end() ? TRY(watch_v1(v1->second)) : TRY(watch_v2(v2->second));
  const int fd = events.get();
  OutOfMemoryWatch out(loop, std::move(events));
  // v1 tells before it kills, and of the cgroup's removal; v2 of what is no kill, too.
  auto is_kill = [is_v1 = v1 != paths.end(), cgroup = runtime::cgroup::Cgroup(paths),
                  directory = v1 != paths.end() ? v1->second : std::string(),
                  known = std::uint64_t{0}]() mutable {
    if (is_v1) return ::access(directory.c_str(), F_OK) == 0;
    const std::uint64_t before = std::exchange(known, cgroup.oom_kills());
    return known > before;
  };
  TRY(loop.watch(
      fd, EPOLLIN,
      [fd, is_kill = std::move(is_kill), notify = std::move(notify)](std::uint32_t) mutable {
        std::array<char, 4096> ignored;
        while (::read(fd, ignored.data(), ignored.size()) > 0) {
        }
        if (is_kill()) notify();
      }));
  return out;
}

OutOfMemoryWatch::~OutOfMemoryWatch() {
  if (events_) loop_->forget(events_.get());
}

}  // namespace shim::events
