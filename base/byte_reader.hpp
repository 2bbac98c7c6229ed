// A bounds-checked cursor over bytes that came from outside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

namespace base {

/// Reads forward; a read past the end yields nothing and moves nothing. Little-endian hosts only.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::size_t offset() const { return offset_; }
  std::size_t remaining() const { return bytes_.size() - offset_; }
  bool at_end() const { return offset_ == bytes_.size(); }

  std::optional<std::uint8_t> u8() { return value<std::uint8_t>(); }

  /// A trivially copyable value, as it lies in memory.
  template <typename T>
    requires std::is_trivially_copyable_v<T>
  std::optional<T> value() {
    if (remaining() < sizeof(T)) return std::nullopt;
    T out;
    std::memcpy(&out, bytes_.data() + offset_, sizeof(T));
    offset_ += sizeof(T);
    return out;
  }

  /// A view of the next `count` bytes; lives as long as the input.
  std::optional<std::span<const std::byte>> take(std::size_t count) {
    if (count > remaining()) return std::nullopt;
    const auto out = bytes_.subspan(offset_, count);
    offset_ += count;
    return out;
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t offset_ = 0;
};

}  // namespace base
