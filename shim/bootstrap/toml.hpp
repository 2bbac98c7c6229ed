// The part of TOML (toml.io, 1.0) that a flat table of options needs: keys with strings, integers
// and booleans.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace shim::bootstrap {

using TomlValue = std::variant<bool, std::int64_t, std::string>;

struct TomlEntry {
  std::string key;
  TomlValue value;
  std::size_t line = 0;  ///< from 1
};

/// In the order of the text. Invalid, with the line, for what is no TOML, and for tables, arrays,
/// dates, dotted keys, multi-line strings and numbers that are no integers.
base::Result<std::vector<TomlEntry>> parse_toml(std::string_view text);

}  // namespace shim::bootstrap
