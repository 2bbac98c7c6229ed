// A container's standard input, output and error as keys that criu knows them by, and the file
// descriptors.json of an image directory that carries these to restore: docs/formats/criu.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace runtime::checkpoint {

/// Of the calling process: "pipe:[1]", "file[1f:2a]", "socket:[3]"; empty for one that is closed.
std::vector<std::string> describe_stdio();

/// A file that criu can only dump when it is told that it is external.
bool is_external_file(std::string_view key);
/// What restore binds again.
bool is_inheritable(std::string_view key);

/// runc's format.
std::string to_json(const std::vector<std::string>& keys);
/// Invalid for anything but an array of at most 64 strings.
base::Result<std::vector<std::string>> parse_descriptors(std::string_view json);

inline constexpr const char* kDescriptorsFile = "descriptors.json";

}  // namespace runtime::checkpoint
