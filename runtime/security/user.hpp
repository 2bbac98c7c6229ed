// Who the process is: user, groups, umask.
#pragma once

#include <sys/types.h>

#include "base/result.hpp"
#include "oci/process.hpp"

namespace runtime::security {

/// Groups, then group, then user (the last step drops the right to the others), then umask if
/// given. Supplementary groups are left alone where the user namespace forbids setting them
/// (/proc/self/setgroups says "deny"; user_namespaces(7)). `procfs` is the root of a procfs
/// instance.
base::Result<void> apply_user(int procfs, const oci::User& user);

/// Makes descriptors 0 to 2 the user's, so that it can open /dev/stdout and use its console. Before
/// apply_user(). /dev/null and files whose owner cannot change are left alone.
base::Result<void> own_stdio(uid_t uid);

}  // namespace runtime::security
