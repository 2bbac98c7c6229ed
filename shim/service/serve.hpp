// The shim itself: the loop and everything in it, from the first connection to Shutdown.
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace shim::service {

struct ServeOptions {
  std::string name_space;
  std::string events_address;  ///< containerd's ttrpc socket; empty: events go nowhere
};

/// Returns after Shutdown, when its answer has left; the socket's name is still there.
base::Result<void> serve(base::UniqueFd listener, const ServeOptions& options);

}  // namespace shim::service
