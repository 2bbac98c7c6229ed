// The three of protobuf's well-known types that containerd's interfaces use. In this folder strings
// and bytes are std::string, a field that is a message is std::optional, and absent scalars are
// zero.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace shim::protocol {

struct Empty {
  bool operator==(const Empty&) const = default;
};

/// Seconds and nanoseconds since 1970, UTC.
struct Timestamp {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;
  auto operator<=>(const Timestamp&) const = default;
};

/// A message of a named type, encoded; or, for the runtime-spec's types, a JSON text.
struct Any {
  std::string type_url;
  std::string value;
  bool operator==(const Any&) const = default;

  /// containerd writes type names bare, other peers with "type.googleapis.com/" before them: only
  /// what follows the last slash counts, unless `name` has slashes itself.
  bool holds(std::string_view name) const;
};

/// CLOCK_REALTIME.
Timestamp now();

}  // namespace shim::protocol
