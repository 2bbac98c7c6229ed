// D-Bus values to bytes and back, with their alignment: docs/formats/dbus.md, "Messages".
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace runtime::dbus {

using StringPairs = std::vector<std::pair<std::string, std::string>>;

/// What a variant that we send can hold: b y n q i u x t d s ay au as a(ss).
using Value =
    std::variant<bool, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t, std::uint32_t,
                 std::int64_t, std::uint64_t, double, std::string, std::vector<std::uint8_t>,
                 std::vector<std::uint32_t>, std::vector<std::string>, StringPairs>;

std::string_view signature_of(const Value& value);

/// Appends values, each with the padding that it needs.
class Writer {
 public:
  /// Of an array that is being written.
  struct Mark {
    std::size_t length_at;
    std::size_t begin;
  };

  template <typename Number>
    requires(std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool>)
  void number(Number value) {
    align(sizeof(Number));
    char raw[sizeof(Number)];
    std::memcpy(raw, &value, sizeof(Number));
    bytes_.append(raw, sizeof(Number));
  }
  void boolean(bool value) { number(std::uint32_t{value}); }
  /// Also object paths.
  void string(std::string_view text);
  void signature(std::string_view text);
  void variant(const Value& value);
  void align(std::size_t boundary) {
    bytes_.append((boundary - bytes_.size() % boundary) % boundary, '\0');
  }
  [[nodiscard]] Mark begin_array(std::size_t element_alignment);
  void end_array(Mark mark);

  std::size_t size() const { return bytes_.size(); }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads what others wrote; every error is Invalid.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <typename Number>
    requires(std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool>)
  base::Result<Number> number() {
    TRY(align(sizeof(Number)));
    const std::string_view raw = TRY(take(sizeof(Number)));
    Number out;
    std::memcpy(&out, raw.data(), sizeof(Number));
    return out;
  }
  /// Also object paths.
  base::Result<std::string> string();
  base::Result<std::string> signature();
  /// A variant that holds a string; Invalid for others.
  base::Result<std::string> string_variant();
  /// Passes over a value of a basic type.
  base::Result<void> skip(char type);
  /// The padding has to be of zeros.
  base::Result<void> align(std::size_t boundary);

  std::size_t position() const { return position_; }
  bool at_end() const { return position_ == bytes_.size(); }

 private:
  base::Result<std::string_view> take(std::size_t count);
  base::Result<std::string> text(std::size_t length);

  std::string_view bytes_;
  std::size_t position_ = 0;
};

}  // namespace runtime::dbus
