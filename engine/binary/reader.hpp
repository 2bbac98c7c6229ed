// A cursor over a module's bytes that speaks the binary format's values (core spec 5.2): LEB128
// integers within their width, names in UTF-8. Every failure carries the byte's offset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "engine/structure/error.hpp"
#include "engine/structure/types.hpp"

namespace engine::binary {

class Reader {
 public:
  /// Reads [begin, end) of `module`; offsets in errors are the module's.
  Reader(std::span<const std::byte> module, std::uint64_t begin, std::uint64_t end)
      : module_(module), at_(begin), end_(end) {}

  std::uint64_t offset() const { return at_; }
  std::uint64_t end() const { return end_; }
  std::uint64_t remaining() const { return end_ - at_; }
  bool at_end() const { return at_ == end_; }

  Result<std::uint8_t> u8() {
    if (at_ == end_) return unexpected_end();
    return std::to_integer<std::uint8_t>(module_[at_++]);
  }
  /// The next byte without moving; 0 at the end.
  std::uint8_t peek() const {
    return at_ == end_ ? std::uint8_t{0} : std::to_integer<std::uint8_t>(module_[at_]);
  }
  Result<std::uint32_t> u32() {
    // One byte is by far the most frequent length.
    if (at_ != end_) {
      const auto byte = std::to_integer<std::uint8_t>(module_[at_]);
      if (byte < 0x80) {
        ++at_;
        return byte;
      }
    }
    return static_cast<std::uint32_t>(TRY(unsigned_leb(32)));
  }
  Result<std::uint64_t> u64() { return unsigned_leb(64); }
  Result<std::int32_t> s32() { return static_cast<std::int32_t>(TRY(signed_leb(32))); }
  Result<std::int64_t> s33() { return signed_leb(33); }
  Result<std::int64_t> s64() { return signed_leb(64); }
  Result<std::uint32_t> fixed_u32();
  Result<std::uint64_t> fixed_u64();
  Result<std::span<const std::byte>> take(std::uint64_t count);
  /// UTF-8, checked; a view of the module.
  Result<std::string_view> name();
  /// A vector's length: at most `limit`, and at most what the remaining bytes can hold when each
  /// item takes `item_size` bytes or more.
  Result<std::uint32_t> count(std::uint32_t limit, std::string_view what,
                              std::uint64_t item_size = 1);
  Result<ValType> value_type();
  Result<ValType> reference_type();

  std::unexpected<Error> malformed(std::string_view text) const {
    return fail_at(ErrorKind::Malformed, at_, std::string(text));
  }

 private:
  std::unexpected<Error> unexpected_end() const { return malformed("unexpected end"); }
  Result<std::uint64_t> unsigned_leb(unsigned bits);
  Result<std::int64_t> signed_leb(unsigned bits);

  std::span<const std::byte> module_;
  std::uint64_t at_;
  std::uint64_t end_;
};

bool is_utf8(std::string_view text);

}  // namespace engine::binary
