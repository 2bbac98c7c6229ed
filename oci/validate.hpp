// Which configurations make sense: the MUSTs of runtime-spec 1.3.0 and the rules of runc's
// validator, as far as they follow from the data alone. What depends on the host (does the rootfs
// exist, is the namespace path the host's, is SELinux on) is checked by the runtime where it meets
// the host.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "oci/spec.hpp"

namespace oci {

/// Deprecated or ignored settings, one line each, for the log.
using Warnings = std::vector<std::string>;

/// Fails with Invalid; the text is the JSON path, a colon, and runc's wording where it has one:
/// "process.cwd: Cwd must be an absolute path".
base::Result<Warnings> validate(const Spec& spec);
/// The rules for a process alone, for `exec --process`.
base::Result<Warnings> validate(const Process& process);
/// What a caller without root adds: a user namespace with mappings, no network devices.
base::Result<void> validate_rootless(const Spec& spec);

}  // namespace oci
