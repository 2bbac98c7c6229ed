// Durations and sizes as options take them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace runtime::cli {

/// A positive whole number with ms, s, m or h, as Go writes durations: "500ms", "720h". At most ten
/// years. Invalid with the words of runc for `option`.
base::Result<std::chrono::milliseconds> parse_duration(const std::string& text,
                                                       std::string_view option);
/// Bytes: a whole number, alone or with k, m, g or t (powers of 1024, either case): "4g".
base::Result<std::uint64_t> parse_size(const std::string& text, std::string_view option);

}  // namespace runtime::cli
