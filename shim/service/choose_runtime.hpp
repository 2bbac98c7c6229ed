// Which OCI runtime a container's options ask for.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "shim/protocol/options.hpp"
#include "shim/service/runtime.hpp"

namespace shim::service {

/// Wherry's library, or the program that BinaryName names.
base::Result<std::shared_ptr<const Runtime>> choose_runtime(const protocol::RuncOptions& options,
                                                            const std::string& name_space);

/// For a sandbox: whatever the options say about containers, this program holds its namespaces.
base::Result<std::shared_ptr<const Runtime>> choose_pause_runtime(
    const protocol::RuncOptions& options, const std::string& name_space);

}  // namespace shim::service
