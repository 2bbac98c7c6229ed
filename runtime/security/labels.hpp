// What the process will be to the security modules after execve: AppArmor profile, SELinux label.
// Written through a procfs that the caller trusts (CVE-2019-16884, CVE-2025-52881): never by path.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace runtime::security {

/// An empty profile or label changes nothing. `procfs` is the root of a procfs instance.
/// Unsupported when the kernel runs without the module: asking for confinement that is not there
/// must fail.
base::Result<void> apply_apparmor_profile(int procfs, std::string_view profile);
base::Result<void> apply_selinux_label(int procfs, std::string_view label);
/// For the session keyring that the process makes next; reset by an empty label.
base::Result<void> apply_selinux_key_label(int procfs, std::string_view label);

/// Does this kernel run the module? Reads /sys/module/apparmor and statfs of /sys/fs/selinux: call
/// it on the host's side.
bool apparmor_enabled();
bool selinux_enabled();

}  // namespace runtime::security
