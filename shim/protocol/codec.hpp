// Messages to protobuf's wire encoding and back. The encoding and its limits:
// docs/formats/ttrpc.md.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "shim/protocol/well_known.hpp"

namespace shim::protocol {

/// Longer input is LimitExceeded. It is what ttrpc carries in one frame.
inline constexpr std::size_t kMaxMessage = std::size_t{4} << 20;
/// Of one repeated field or map.
inline constexpr std::size_t kMaxElements = 16384;

/// Fields in the order of their numbers, absent where they hold the default; maps sorted by key:
/// one message has one encoding. Every message of this folder's headers can be encoded.
template <typename Message>
std::string encode(const Message& message);

/// Every message of this folder's headers, too. Unknown fields are skipped; a known field of
/// another wire type, a length that leaves the input, and groups are Invalid. A message field that
/// comes twice is merged, of a scalar the last one counts.
template <typename Message>
base::Result<Message> decode(std::string_view bytes);

/// Messages that travel in an Any have a kTypeName.
template <typename Message>
Any pack(const Message& message) {
  return {Message::kTypeName, encode(message)};
}

/// Invalid when the Any holds another type.
template <typename Message>
base::Result<Message> unpack(const Any& any) {
  if (!any.holds(Message::kTypeName)) {
    return base::fail(base::ErrorKind::Invalid, "unexpected type " + any.type_url);
  }
  return decode<Message>(any.value);
}

}  // namespace shim::protocol
