// Running of a container's hooks: runtime-spec 1.3.0 config.md "POSIX-platform Hooks".
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "oci/spec.hpp"

namespace runtime::hooks {

/// Runs the hooks one after the other in the namespaces of the caller, the state JSON on their
/// stdin, and stops at the first that fails: cannot be executed, exits with a status other than 0,
/// is killed, or runs longer than its timeout (then its process group is killed). `kind` is the
/// spec's name ("createRuntime"). The error names kind, path, status and the end of what the hook
/// wrote. The caller must have no SIGCHLD handler that reaps. A hook without `env` has the
/// caller's environment, as with runc.
base::Result<void> run(std::string_view kind, std::span<const oci::Hook> list,
                       std::string_view state_json);

/// For poststop: all of them run; each failure is one warning.
std::vector<std::string> run_all(std::string_view kind, std::span<const oci::Hook> list,
                                 std::string_view state_json);

}  // namespace runtime::hooks
