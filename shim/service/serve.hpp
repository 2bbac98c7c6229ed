// The shim itself: the loop and everything in it, from the first connection to its end.
#pragma once

#include <chrono>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace shim::service {

struct ServeOptions {
  std::string name_space;
  std::string events_address;  ///< containerd's ttrpc socket; empty: events go nowhere
  std::string socket;          ///< the listener's name
};

/// A shim that nobody is connected to and that has nothing to look after ends after this time: its
/// daemon has died before it could ask for anything.
inline constexpr std::chrono::seconds kIdlePatience{10};

/// Returns after Shutdown, when its answer has left, or when it was idle for too long. The socket's
/// name is gone then.
base::Result<void> serve(base::UniqueFd listener, const ServeOptions& options);

}  // namespace shim::service
