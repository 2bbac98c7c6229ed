// One wait for a time, in the loop (timerfd_create(2)).
#pragma once

#include <chrono>
#include <functional>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "shim/loop/loop.hpp"

namespace shim::loop {

class Timer {
 public:
  /// `fire` is called from the loop, once for each arm() that is not replaced or disarmed before.
  Timer(Loop& loop, std::function<void()> fire) : loop_(loop), fire_(std::move(fire)) {}
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  base::Result<void> arm(std::chrono::milliseconds delay);
  void disarm();
  bool is_armed() const { return is_armed_; }

 private:
  Loop& loop_;
  std::function<void()> fire_;
  base::UniqueFd fd_;  ///< from the first arm() on
  bool is_armed_ = false;
};

}  // namespace shim::loop
