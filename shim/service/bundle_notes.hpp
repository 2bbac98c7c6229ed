// What `delete` has to know when the shim is dead, in files of the bundle: the container's options,
// its first process and, in the bundle of `start`, the shim's socket.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"
#include "shim/protocol/options.hpp"

namespace shim::service {

base::Result<void> remember_options(const std::string& bundle,
                                    const protocol::RuncOptions& options);
/// The defaults where there is no note: Create has not come that far.
protocol::RuncOptions recall_options(const std::string& bundle);

/// Zero where there is none.
base::Result<void> remember_init(const std::string& bundle, pid_t pid);
pid_t recall_init(const std::string& bundle);

base::Result<void> remember_socket(const std::string& bundle, const std::string& socket);
/// Empty where there is none.
std::string recall_socket(const std::string& bundle);

}  // namespace shim::service
