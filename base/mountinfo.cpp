// "36 35 98:0 <root> <mount point> <options> <optional fields> - <type> <source> <super options>"
#include "base/mountinfo.hpp"

#include <algorithm>
#include <array>

namespace base {
namespace {

/// The first `Count` fields of `text`; fewer are no line.
template <std::size_t Count>
std::optional<std::array<std::string_view, Count>> fields(std::string_view text) {
  std::array<std::string_view, Count> out;
  for (std::string_view& field : out) {
    if (text.empty()) return std::nullopt;
    field = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(field.size() + 1, text.size()));
  }
  return out;
}

/// Space, tab, newline and backslash are three octal digits.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](std::size_t at) { return at < text.size() ? text[at] - '0' : -1; };
    const int a = digit(i + 1), b = digit(i + 2), c = digit(i + 3);
    const auto octal = [](int d) { return d >= 0 && d <= 7; };
    if (text[i] == '\\' && octal(a) && octal(b) && octal(c)) {
      out += static_cast<char>(a * 64 + b * 8 + c);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::optional<MountLine> parse_mount_line(std::string_view line) {
  const std::size_t dash = line.find(" - ");
  if (dash == std::string_view::npos) return std::nullopt;
  const auto head = fields<6>(line.substr(0, dash));
  const auto tail = fields<3>(line.substr(dash + 3));
  if (!head || !tail) return std::nullopt;
  return MountLine{unescape((*head)[3]), unescape((*head)[4]), std::string((*tail)[0]),
                   std::string((*tail)[2])};
}

}  // namespace base
