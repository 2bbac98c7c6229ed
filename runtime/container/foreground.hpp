// Waiting for a child in the foreground: signals go to it, the terminal is carried over, orphans
// are reaped.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <utility>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace runtime::container {

/// Blocks the signals that will be forwarded. To be made before the child is, so that none is lost;
/// the old mask returns at its end.
class SignalForwarding {
 public:
  static base::Result<SignalForwarding> begin();

  SignalForwarding(SignalForwarding&& other) noexcept
      : signals_(std::move(other.signals_)), old_(other.old_), is_active_(other.is_active_) {
    other.is_active_ = false;
  }
  SignalForwarding& operator=(SignalForwarding&&) = delete;
  ~SignalForwarding();

  int fd() const { return signals_.get(); }

 private:
  SignalForwarding(base::UniqueFd signals, const sigset_t& old)
      : signals_(std::move(signals)), old_(old) {}

  base::UniqueFd signals_;
  sigset_t old_;
  bool is_active_ = true;
};

/// Returns the child's exit status, 128 + n for a signal. `master`: of its terminal, or empty.
base::Result<int> wait_in_foreground(pid_t child, const SignalForwarding& forwarding,
                                     base::UniqueFd master);

}  // namespace runtime::container
