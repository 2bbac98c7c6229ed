// The compiling half of seccomp.hpp, without cache and flags; private to this folder.
#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

#include "base/result.hpp"
#include "oci/seccomp.hpp"

namespace runtime::security {

/// Fails with LimitExceeded for more than BPF_MAXINSNS instructions.
base::Result<std::vector<sock_filter>> compile_filter(const oci::Seccomp& profile);

/// "2.5.4": of the library that knows the numbers of the calls.
std::string libseccomp_version();

}  // namespace runtime::security
