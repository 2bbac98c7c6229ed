// What `-info` and `-v` print.
#pragma once

#include <string>
#include <string_view>

namespace shim::bootstrap {

/// containerd.types.RuntimeInfo, encoded.
std::string runtime_info(std::string_view version);

/// A line for people.
std::string version_text(std::string_view version);

}  // namespace shim::bootstrap
