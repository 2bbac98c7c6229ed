// How the files of the validator refuse a value: by its JSON path and a reason.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace oci {

inline std::unexpected<base::Error> invalid(std::string_view path, std::string_view reason) {
  return base::fail(base::ErrorKind::Invalid, std::string(path) + ": " + std::string(reason));
}

/// "linux.devices" and 2 give "linux.devices[2]".
inline std::string element(std::string_view path, std::size_t index) {
  return std::string(path) + "[" + std::to_string(index) + "]";
}

/// A name in double quotes for an error, cut at 64 bytes.
inline std::string quoted(std::string_view text) {
  return "\"" + std::string(text.substr(0, 64)) + "\"";
}

inline bool is_absolute(std::string_view path) { return path.starts_with('/'); }

}  // namespace oci
