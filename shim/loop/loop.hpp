// The one thread's wait for descriptors (epoll(7)).
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace shim::loop {

class Loop {
 public:
  /// Gets the EPOLL* events. It may watch, change and forget descriptors, its own too, and may be
  /// called once more than there was reason to: what it does must not block.
  using Handler = std::function<void(std::uint32_t events)>;

  static base::Result<Loop> make();

  /// The descriptor stays its owner's, who forgets it before closing it.
  base::Result<void> watch(int fd, std::uint32_t events, Handler handler);
  void change(int fd, std::uint32_t events);
  void forget(int fd);

  /// Until stop(). May be called again.
  base::Result<void> run();
  void stop() { is_running_ = false; }

 private:
  explicit Loop(base::UniqueFd epoll) : epoll_(std::move(epoll)) {}

  base::UniqueFd epoll_;
  std::map<int, std::shared_ptr<Handler>> handlers_;
  bool is_running_ = true;
};

}  // namespace shim::loop
