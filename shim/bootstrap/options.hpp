// The handler's options, whichever way they came. docs/formats/shim-bootstrap.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "shim/protocol/options.hpp"
#include "shim/protocol/well_known.hpp"

namespace shim::bootstrap {

inline constexpr std::size_t kMaxToml = std::size_t{64} << 10;

struct Options {
  protocol::RuncOptions runc;
  /// 3 when the user says that this daemon takes JSON with version 3.
  std::uint32_t shim_version = 2;
  bool operator==(const Options&) const = default;
};

/// One of the types that read_options() takes.
bool is_options(const protocol::Any& any);

/// Of `start` and of Create. Defaults when there are none or they have no type; Invalid for a type
/// that is not known here and for whatever is wrong in the text.
base::Result<Options> read_options(const std::optional<protocol::Any>& any);

/// The options table of containerd's configuration, as TOML.
base::Result<Options> parse_options_toml(std::string_view text);

}  // namespace shim::bootstrap
