// Which file process.args[0] is, seen from inside the container.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace runtime::process {

/// As execvp(3) with the PATH of `env`, for the caller's ids and current directory. The errors have
/// the words that runc's users know: `exec: "x": executable file not found in $PATH`.
base::Result<std::string> find_program(const std::string& name,
                                       const std::vector<std::string>& env);

/// One value per variable: the last. An empty HOME counts as none.
void keep_last_values(std::vector<std::string>& env);

/// The value of NAME in a list of NAME=value; the last one counts. Nullptr: not there.
const char* find_variable(const std::vector<std::string>& env, std::string_view name);

/// The home directory that the container's /etc/passwd gives `uid`, else "/".
std::string home_of(uid_t uid);

}  // namespace runtime::process
