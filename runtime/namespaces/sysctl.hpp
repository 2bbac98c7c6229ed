// Kernel parameters of the container's namespaces: runtime-spec config-linux.md "Sysctl".
#pragma once

#include <map>
#include <string>

#include "base/result.hpp"

namespace runtime::namespaces {

/// "net.ipv4.ip_forward" or "net/ipv4/ip_forward" -> "sys/net/ipv4/ip_forward"; the first separator
/// decides what the other means, as for sysctl(8).
std::string sysctl_path(std::string_view key);

/// Writes through `procfs`, the root of a procfs instance that the container cannot reach, and
/// never through the container's /proc (CVE-2025-52881). Keys have passed oci::validate.
base::Result<void> write_sysctls(int procfs, const std::map<std::string, std::string>& values);

}  // namespace runtime::namespaces
