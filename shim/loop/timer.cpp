#include "shim/loop/timer.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace shim::loop {
namespace {

base::Result<void> set(int fd, std::chrono::nanoseconds delay) {
  constexpr long kSecond = 1'000'000'000;
  const itimerspec once{{0, 0}, {delay.count() / kSecond, delay.count() % kSecond}};
  if (::timerfd_settime(fd, 0, &once, nullptr) != 0) return base::fail_errno("timerfd_settime");
  return {};
}

}  // namespace

Timer::~Timer() {
  if (fd_) loop_.forget(fd_.get());
}

base::Result<void> Timer::arm(std::chrono::milliseconds delay) {
  if (!fd_) {
    base::UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!timer) return base::fail_errno("timerfd_create");
    TRY(loop_.watch(timer.get(), EPOLLIN, [this](std::uint32_t) {
      std::uint64_t ignored = 0;
      // Nothing to read: it was armed anew since.
      if (::read(fd_.get(), &ignored, sizeof(ignored)) < 0) return;
      if (std::exchange(is_armed_, false)) fire_();
    }));
    fd_ = std::move(timer);
  }
  // A delay of zero would disarm it.
  TRY(set(fd_.get(), std::max(delay, std::chrono::milliseconds(1))));
  is_armed_ = true;
  return {};
}

void Timer::disarm() {
  if (std::exchange(is_armed_, false)) static_cast<void>(set(fd_.get(), {}));
}

}  // namespace shim::loop
