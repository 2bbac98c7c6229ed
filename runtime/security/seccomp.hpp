// System call filters: seccomp(2), runtime-spec config-linux.md "Seccomp". A profile is compiled in
// the parent (or read from the cache) and installed in the container's process.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "oci/seccomp.hpp"

namespace runtime::security {

class SeccompCache;

struct SeccompProgram {
  std::vector<sock_filter> filter;
  std::uint32_t flags = 0;  ///< SECCOMP_FILTER_FLAG_*, NEW_LISTENER when an action notifies
};

/// The filter for a profile that validate() accepts; seccomp_table.hpp says how it is read. Calls
/// newer than every call of the profile give ENOSYS instead of the default action when that denies,
/// so that programs fall back to older calls (as runc does). About half a millisecond for a
/// Kubernetes profile; a third of that when `cache` (may be nullptr) has it. A cache that cannot be
/// written is no failure. Fails with LimitExceeded and Unsupported (a flag this kernel lacks).
base::Result<SeccompProgram> compile_seccomp(const oci::Seccomp& profile,
                                             const SeccompCache* cache);

/// For the calling thread and what it executes. Needs no_new_privs or CAP_SYS_ADMIN in the user
/// namespace. The listener's descriptor when a rule notifies, otherwise an empty one. Allocates
/// nothing on success.
base::Result<base::UniqueFd> install_seccomp(const SeccompProgram& program);

/// The flags of oci::SeccompFlag that this kernel takes; the features document wants to know.
std::vector<oci::SeccompFlag> supported_seccomp_flags();

}  // namespace runtime::security
