#include "shim/loop/loop.hpp"

#include <array>
#include <cerrno>
#include <string>

namespace shim::loop {

base::Result<Loop> Loop::make() {
  base::UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return base::fail_errno("epoll_create1");
  return Loop(std::move(epoll));
}

base::Result<void> Loop::watch(int fd, std::uint32_t events, Handler handler) {
  epoll_event event{events, {.fd = fd}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return base::fail_errno("epoll_ctl", std::to_string(fd));
  }
  handlers_[fd] = std::make_shared<Handler>(std::move(handler));
  return {};
}

void Loop::change(int fd, std::uint32_t events) {
  epoll_event event{events, {.fd = fd}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Loop::forget(int fd) {
  if (handlers_.erase(fd) > 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

base::Result<void> Loop::run() {
  std::array<epoll_event, 16> events{};
  is_running_ = true;
  while (is_running_) {
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    if (count < 0 && errno != EINTR) return base::fail_errno("epoll_wait");
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const auto found = handlers_.find(event.data.fd);
      if (found == handlers_.end()) continue;
      // Kept alive while it runs: it may forget itself.
      const std::shared_ptr<Handler> handler = found->second;
      (*handler)(event.events);
    }
  }
  return {};
}

}  // namespace shim::loop
