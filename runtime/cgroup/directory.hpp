// Single cgroup directories: made with their parents, listed and removed with what is below them.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.hpp"

namespace runtime::cgroup {

/// Makes `path` and missing parents (0755) and appends each that it made to `made`, outermost
/// first, also when a later one fails.
base::Result<void> make_directory(const std::string& path, std::vector<std::string>& made);
/// v1: an empty cpuset admits no process; takes cpus and mems from the nearest parent that has
/// them, for every level down to `path`.
base::Result<void> inherit_cpuset(const std::string& path);
/// v2: lets the children of each level above `path` have these controllers; an empty list stands
/// for all that there are. A level that refuses one is left as it is: the file that is missing then
/// is reported by whoever needs it.
void enable_controllers(const std::string& path, const std::vector<std::string>& controllers);

/// Appends the pids of one directory, or with those of all directories below.
base::Result<void> read_pids(const std::string& path, bool below, std::vector<pid_t>& pids);
/// rmdir(2) of the tree, children first, repeated for 2 seconds while something is busy.
base::Result<void> remove_tree(const std::string& path);

}  // namespace runtime::cgroup
