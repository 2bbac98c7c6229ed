// criu's log as the explanation of a failure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace runtime::checkpoint {

/// Each line with "Error" and up to five lines before it, with their numbers, "..." between
/// passages; at most 64 lines.
std::vector<std::string> quote_errors(std::string_view log);

/// The same of a file, with a heading; one line that says why where it cannot be read.
std::vector<std::string> quote_log(const std::string& path);

}  // namespace runtime::checkpoint
