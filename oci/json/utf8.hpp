// Well-formed UTF-8 (RFC 3629, section 4).
#pragma once

#include <cstddef>
#include <string_view>

namespace oci::json {

/// The length of the well-formed sequence at the front of `text`, which must not be empty; 0 when
/// there is none: an overlong form, a surrogate, a value above U+10FFFF, a sequence cut short.
inline std::size_t utf8_length(std::string_view text) {
  const auto within = [&](std::size_t i, unsigned low, unsigned high) {
    if (i >= text.size()) return false;
    const auto byte = static_cast<unsigned char>(text[i]);
    return byte >= low && byte <= high;
  };
  if (within(0, 0x00, 0x7F)) return 1;
  if (within(0, 0xC2, 0xDF)) return within(1, 0x80, 0xBF) ? 2 : 0;
  if (within(0, 0xE0, 0xEF)) {
    const unsigned low = within(0, 0xE0, 0xE0) ? 0xA0 : 0x80;
    const unsigned high = within(0, 0xED, 0xED) ? 0x9F : 0xBF;
    return within(1, low, high) && within(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (within(0, 0xF0, 0xF4)) {
    const unsigned low = within(0, 0xF0, 0xF0) ? 0x90 : 0x80;
    const unsigned high = within(0, 0xF4, 0xF4) ? 0x8F : 0xBF;
    return within(1, low, high) && within(2, 0x80, 0xBF) && within(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

}  // namespace oci::json
