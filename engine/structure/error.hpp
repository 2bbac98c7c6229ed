// Why a module was refused. Kinds are the classes of the core test suite's assertions, so that
// a conformance runner and a user are told the same thing.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace engine {

enum class ErrorKind : std::uint8_t {
  Malformed,      ///< the bytes are no module (assert_malformed)
  Invalid,        ///< a module that breaks the validation rules (assert_invalid)
  Unlinkable,     ///< imports that are missing or of another type (assert_unlinkable)
  Unsupported,    ///< a proposal that this engine does not implement
  LimitExceeded,  ///< more of something than the stated limits allow
  System,         ///< the machine failed: memory, files
};

/// `text` is lower case, in the specification's words where it has some ("type mismatch",
/// "unexpected end of section or function").
struct [[nodiscard]] Error {
  ErrorKind kind;
  std::string text;
  std::optional<std::uint64_t> offset = std::nullopt;    ///< byte offset in the module
  std::optional<std::uint32_t> function = std::nullopt;  ///< index in the function index space

  /// "invalid: function 12: type mismatch (at byte 0x1a2)"
  std::string message() const;
};

template <typename T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorKind kind, std::string text) {
  return std::unexpected(Error{kind, std::move(text)});
}
inline std::unexpected<Error> fail_at(ErrorKind kind, std::uint64_t offset, std::string text) {
  return std::unexpected(Error{kind, std::move(text), offset});
}

std::string_view kind_name(ErrorKind kind);

/// For hosts that speak base::Error: the same text, the nearest kind.
base::Error to_base_error(const Error& error);

}  // namespace engine
