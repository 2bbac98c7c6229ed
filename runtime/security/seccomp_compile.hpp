// The compiling half of seccomp.hpp, without cache and flags; private to this folder.
#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

#include "base/result.hpp"
#include "oci/seccomp.hpp"

namespace runtime::security {

base::Result<std::vector<sock_filter>> compile_filter(const oci::Seccomp& profile);

/// "2.5.4"
std::string libseccomp_version();

}  // namespace runtime::security
