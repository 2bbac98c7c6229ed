// Notices when the kernel kills for memory in a container's cgroup: an eventfd on
// memory.oom_control (v1), inotify on memory.events (v2).
#pragma once

#include <functional>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "runtime/cgroup/placement.hpp"
#include "shim/loop/loop.hpp"

namespace shim::events {

class OutOfMemoryWatch {
 public:
  /// Does nothing where there is no memory controller. `notify` is called for each time that is
  /// noticed, as long as this object lives.
  static base::Result<OutOfMemoryWatch> make(loop::Loop& loop, const runtime::cgroup::Paths& paths,
                                             std::function<void()> notify);
  OutOfMemoryWatch(OutOfMemoryWatch&& other) noexcept = default;
  OutOfMemoryWatch& operator=(OutOfMemoryWatch&&) = delete;
  ~OutOfMemoryWatch();

 private:
  OutOfMemoryWatch(loop::Loop& loop, base::UniqueFd events)
      : loop_(&loop), events_(std::move(events)) {}

  loop::Loop* loop_;
  base::UniqueFd events_;
};

}  // namespace shim::events
