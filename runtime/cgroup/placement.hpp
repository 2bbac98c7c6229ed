// Where a container's cgroups are: linux.cgroupsPath turned into one directory per hierarchy
// (runtime-spec 1.3.0 config-linux.md "Control groups": absolute paths lie below the mount points,
// relative ones below the cgroup of the runtime).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "runtime/cgroup/host.hpp"

namespace runtime::cgroup {

/// Directory by controller; controllers of one v1 hierarchy share theirs. The key "" is v2's.
using Paths = std::map<std::string, std::string>;

/// Pure. An empty `cgroups_path` means "/<id>". Invalid when the path is the root of a hierarchy,
/// or when it has a component "..". slice:prefix:name is a path like others: it means a unit to the
/// systemd driver alone, and containerd 1.6 sends it without asking for that one. Where there is
/// only v2, a relative path lies beside the cgroup of the runtime instead of below it: a cgroup
/// with processes hands no controllers down.
base::Result<Paths> place(const Host& host, std::string_view cgroups_path, std::string_view id);

}  // namespace runtime::cgroup
