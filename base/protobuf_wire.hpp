// protobuf's wire encoding: tags, varints, fixed and length-delimited values, as a writer and a
// bounds-checked reader. https://protobuf.dev/programming-guides/encoding
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace base::protobuf {

enum class WireType : std::uint8_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

struct Tag {
  std::uint32_t number = 0;
  WireType type = WireType::Varint;
};

class Writer {
 public:
  void varint(std::uint64_t value);
  void tag(std::uint32_t number, WireType type);
  void fixed64(std::uint64_t value);
  /// A length and the bytes.
  void bytes(std::string_view value);
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

/// Each read yields nothing when the input is malformed or ends too early; then give up.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}
  bool at_end() const { return left_.empty(); }

  std::optional<std::uint64_t> varint();
  /// Not a field number outside 1..2^29-1, not a group.
  std::optional<Tag> tag();
  std::optional<std::uint64_t> fixed64();
  /// A view into the input.
  std::optional<std::string_view> bytes();
  /// Passes over a value of that type; false when it is malformed.
  bool skip(WireType type);

 private:
  std::string_view left_;
};

}  // namespace base::protobuf
