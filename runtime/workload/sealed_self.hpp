// Protection of this program's file from containers (CVE-2019-5736).
#pragma once

#include <span>
#include <string>

#include "base/result.hpp"

namespace runtime::workload {

/// Processes that will live in a container begin as copies of this one, so its executable has to
/// be one that nobody can write to. Returns if it is; otherwise executes the same command line
/// again from a sealed descriptor and returns only with an error. Descriptors that are not
/// close-on-exec stay open.
base::Result<void> seal_self(std::span<const std::string> words);

}  // namespace runtime::workload
