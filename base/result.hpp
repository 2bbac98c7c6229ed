// Result<T> and TRY: how a function that can fail returns, and how its caller passes a failure on.
#pragma once

#include <expected>

#include "base/error.hpp"

namespace base {

template <typename T>
using Result = std::expected<T, Error>;

/// `return fail(ErrorKind::Invalid, "...");`
inline std::unexpected<Error> fail(ErrorKind kind, std::string text) {
  return std::unexpected(Error(kind, std::move(text)));
}

/// `return fail_errno("mount", path);` Reads errno at once: call it before anything else.
inline std::unexpected<Error> fail_errno(std::string_view call, std::string_view subject = {}) {
  const int saved = errno;
  return std::unexpected(Error(call, subject, saved));
}

/// Adds a step to the error, if there is one: `TRY(with_context(open_it(), "read config"))`.
template <typename T>
Result<T> with_context(Result<T> result, std::string_view step) {
  if (!result) result.error().add_context(std::string(step));
  return result;
}

}  // namespace base

/// Yields the value of a std::expected, or returns its error from the enclosing function. Do not
/// nest; do not use in default arguments. Works for every error type.
#define TRY(...)                                              \
  __extension__({                                             \
    auto try_result_ = (__VA_ARGS__);                         \
    if (!try_result_) [[unlikely]]                            \
      return std::unexpected(std::move(try_result_).error()); \
    *std::move(try_result_);                                  \
  })
