#include "engine/structure/error.hpp"

#include <array>
#include <charconv>

namespace engine {
namespace {

std::string hexadecimal(std::uint64_t value) {
  std::array<char, 17> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return "0x" + std::string(digits.data(), end.ptr);
}

base::ErrorKind nearest(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Malformed:
    case ErrorKind::Invalid:
    case ErrorKind::Unlinkable:
      return base::ErrorKind::Invalid;
    case ErrorKind::Unsupported:
      return base::ErrorKind::Unsupported;
    case ErrorKind::LimitExceeded:
      return base::ErrorKind::LimitExceeded;
    case ErrorKind::System:
      return base::ErrorKind::System;
  }
  return base::ErrorKind::Internal;
}

}  // namespace

std::string_view kind_name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Malformed:
      return "malformed";
    case ErrorKind::Invalid:
      return "invalid";
    case ErrorKind::Unlinkable:
      return "unlinkable";
    case ErrorKind::Unsupported:
      return "unsupported";
    case ErrorKind::LimitExceeded:
      return "limit exceeded";
    case ErrorKind::System:
      return "system";
  }
  return "unknown";
}

std::string Error::message() const {
  std::string out(kind_name(kind));
  out += ": ";
  if (function) out += "function " + std::to_string(*function) + ": ";
  out += text;
  if (offset) out += " (at byte " + hexadecimal(*offset) + ")";
  return out;
}

base::Error to_base_error(const Error& error) {
  return base::Error(nearest(error.kind), error.message());
}

}  // namespace engine
