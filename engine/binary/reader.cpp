#include "engine/binary/reader.hpp"

#include <cstring>

#include "engine/structure/limits.hpp"

namespace engine::binary {
namespace {

constexpr std::string_view kTooLong = "integer representation too long";
constexpr std::string_view kTooLarge = "integer too large";

// The length of the UTF-8 sequence that starts with `lead`; 0 for a byte that starts none.
unsigned sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

// The second byte has a narrower range after some leads (Unicode 15, table 3-7): no overlong forms,
// no surrogates, nothing above U+10FFFF.
bool second_byte_fits(unsigned char lead, unsigned char second) {
  switch (lead) {
    case 0xe0:
      return second >= 0xa0;
    case 0xed:
      return second <= 0x9f;
    case 0xf0:
      return second >= 0x90;
    case 0xf4:
      return second <= 0x8f;
    default:
      return true;
  }
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const unsigned length = sequence_length(lead);
    if (length == 0 || length > text.size() - i) return false;
    for (unsigned k = 1; k < length; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      if (byte < 0x80 || byte > 0xbf) return false;
      if (k == 1 && !second_byte_fits(lead, byte)) return false;
    }
    i += length;
  }
  return true;
}

Result<std::uint64_t> Reader::unsigned_leb(unsigned bits) {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const std::uint8_t byte = TRY(u8());
    const unsigned left = bits - shift;
    if (left < 7 && (byte & 0x80) == 0 && (byte >> left) != 0) return malformed(kTooLarge);
    if (left <= 7 && (byte & 0x80) != 0) return malformed(kTooLong);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
}

Result<std::int64_t> Reader::signed_leb(unsigned bits) {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const std::uint8_t byte = TRY(u8());
    const unsigned left = bits - shift;
    if (left <= 7 && (byte & 0x80) != 0) return malformed(kTooLong);
    if (left < 7) {
      // The bits beyond the width must all equal the sign bit.
      const unsigned beyond = static_cast<unsigned>(byte & 0x7f) >> (left - 1);
      if (beyond != 0 && beyond != (0x7fU >> (left - 1))) return malformed(kTooLarge);
    }
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      if ((byte & 0x40) != 0 && shift + 7 < 64) value |= ~std::uint64_t{0} << (shift + 7);
      return static_cast<std::int64_t>(value);
    }
  }
}

Result<std::uint32_t> Reader::fixed_u32() {
  std::uint32_t value = 0;
  const auto bytes = TRY(take(sizeof(value)));
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

Result<std::uint64_t> Reader::fixed_u64() {
  std::uint64_t value = 0;
  const auto bytes = TRY(take(sizeof(value)));
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

Result<std::span<const std::byte>> Reader::take(std::uint64_t count) {
  if (count > remaining()) return unexpected_end();
  const auto out = module_.subspan(at_, count);
  at_ += count;
  return out;
}

Result<std::string_view> Reader::name() {
  const std::uint32_t length = TRY(u32());
  if (length > remaining()) return malformed("length out of bounds");
  if (length > kMaxNameLength) {
    return fail_at(ErrorKind::LimitExceeded, at_,
                   "name of " + std::to_string(length) + " bytes, the limit is " +
                       std::to_string(kMaxNameLength));
  }
  const auto bytes = TRY(take(length));
  // Safety: char may alias any object.
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!is_utf8(text)) return malformed("malformed UTF-8 encoding");
  return text;
}

Result<std::uint32_t> Reader::count(std::uint32_t limit, std::string_view what,
                                    std::uint64_t item_size) {
  const std::uint32_t value = TRY(u32());
  if (value > remaining() / item_size) return malformed("unexpected end");
  if (value > limit) {
    return fail_at(ErrorKind::LimitExceeded, at_,
                   std::to_string(value) + " " + std::string(what) + ", the limit is " +
                       std::to_string(limit));
  }
  return value;
}

Result<ValType> Reader::value_type() {
  const auto type = static_cast<ValType>(TRY(u8()));
  if (is_num(type) || is_ref(type) || type == ValType::V128) return type;
  return malformed("malformed value type");
}

Result<ValType> Reader::reference_type() {
  const auto type = static_cast<ValType>(TRY(u8()));
  if (is_ref(type)) return type;
  return malformed("malformed reference type");
}

}  // namespace engine::binary
