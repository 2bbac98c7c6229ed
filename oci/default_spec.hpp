// The configuration that `spec` writes: a shell in an unprivileged container, like runc's.
#pragma once

#include <cstdint>

#include "oci/spec.hpp"

namespace oci {

/// `cgroup_namespace`: add one, as on hosts with cgroup v2 only.
Spec default_spec(bool cgroup_namespace);

/// Changes `spec` so that a user without privileges can run it: user namespace with that one user,
/// host network, /sys bound from the host, no cgroup limits.
void make_rootless(Spec& spec, std::uint32_t host_uid, std::uint32_t host_gid);

}  // namespace oci
