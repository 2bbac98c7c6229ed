// Where the programs of this installation are: beside each other.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace runtime::workload {

/// Set by a wherry that executes itself from a sealed descriptor, which has no path: the path of
/// the file it was started from.
inline constexpr const char* kSelfVariable = "_WHERRY_SELF";

/// The path of `name` ("wherry-exec") in the directory of the running program. NotFound when it is
/// not installed.
base::Result<std::string> program_beside(std::string_view name);

}  // namespace runtime::workload
