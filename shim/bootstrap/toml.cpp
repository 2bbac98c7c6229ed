#include "shim/bootstrap/toml.hpp"

#include <charconv>
#include <optional>

namespace shim::bootstrap {
namespace {

/// One line.
class LineParser {
 public:
  LineParser(std::string_view text, std::size_t line) : left_(text), line_(line) {}

  /// Empty when the line holds only blanks or a comment.
  base::Result<std::optional<TomlEntry>> parse() {
    skip_blanks();
    if (at_end_of_content()) return std::nullopt;
    if (left_[0] == '[') return wrong("tables are not supported");
    TomlEntry entry;
    entry.line = line_;
    entry.key = TRY(key());
    skip_blanks();
    if (!accept('=')) return wrong("expected '=' after the key");
    skip_blanks();
    entry.value = TRY(value());
    skip_blanks();
    if (!at_end_of_content()) return wrong("unexpected text after the value");
    return entry;
  }

 private:
  std::unexpected<base::Error> wrong(std::string_view why) const {
    return base::fail(base::ErrorKind::Invalid,
                      "line " + std::to_string(line_) + ": " + std::string(why));
  }
  void skip_blanks() {
    while (!left_.empty() && (left_[0] == ' ' || left_[0] == '\t')) left_.remove_prefix(1);
  }
  bool at_end_of_content() const { return left_.empty() || left_[0] == '#'; }
  bool accept(char c) {
    if (left_.empty() || left_[0] != c) return false;
    left_.remove_prefix(1);
    return true;
  }
  std::string_view take(std::size_t count) {
    const std::string_view out = left_.substr(0, count);
    left_.remove_prefix(count);
    return out;
  }

  base::Result<std::string> key() {
    if (left_[0] == '"' || left_[0] == '\'') return quoted();
    constexpr std::string_view kBare =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    const std::size_t end = std::min(left_.find_first_not_of(kBare), left_.size());
    if (end == 0) return wrong("expected a key");
    std::string out(take(end));
    if (!left_.empty() && left_[0] == '.') return wrong("dotted keys are not supported");
    return out;
  }

  base::Result<TomlValue> value() {
    if (left_.empty()) return wrong("expected a value");
    if (left_[0] == '"' || left_[0] == '\'') return TomlValue(TRY(quoted()));
    if (left_[0] == '[' || left_[0] == '{') return wrong("arrays and tables are not supported");
    const std::string_view word = take(std::min(left_.find_first_of(" \t#"), left_.size()));
    if (word == "true") return TomlValue(true);
    if (word == "false") return TomlValue(false);
    return integer(word);
  }

  base::Result<std::string> quoted() {
    const char quote = left_[0];
    if (left_.starts_with(R"(""")") || left_.starts_with("'''")) {
      return wrong("multi-line strings are not supported");
    }
    left_.remove_prefix(1);
    std::string out;
    while (!left_.empty() && left_[0] != quote) {
      if (static_cast<unsigned char>(left_[0]) < 0x20 && left_[0] != '\t') {
        return wrong("control character in a string");
      }
      if (quote == '"' && left_[0] == '\\') {
        TRY(escape(out));
      } else {
        out.push_back(take(1)[0]);
      }
    }
    if (!accept(quote)) return wrong("string without an end");
    return out;
  }

  /// \b \t \n \f \r \" \\ \uXXXX \UXXXXXXXX
  base::Result<void> escape(std::string& out) {
    constexpr std::string_view kNames = "btnfr\"\\";
    constexpr std::string_view kMeanings = "\b\t\n\f\r\"\\";
    left_.remove_prefix(1);
    if (left_.empty()) return wrong("string without an end");
    const char name = take(1)[0];
    const std::size_t known = kNames.find(name);
    if (known != std::string_view::npos) {
      out.push_back(kMeanings[known]);
      return {};
    }
    if (name != 'u' && name != 'U') return wrong("unknown escape in a string");
    const std::string_view digits = take(std::min<std::size_t>(name == 'u' ? 4 : 8, left_.size()));
    std::uint32_t point = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), point, 16);
    const bool surrogate = point >= 0xd800 && point < 0xe000;
    if (digits.size() != (name == 'u' ? 4U : 8U) || error != std::errc{} ||
        end != digits.data() + digits.size() || surrogate || point > 0x10ffff) {
      return wrong("an escape that is no character");
    }
    append_utf8(out, point);
    return {};
  }

  static void append_utf8(std::string& out, std::uint32_t point) {
    const auto continuation = [&](int shift) {
      out.push_back(static_cast<char>(0x80U | ((point >> shift) & 0x3fU)));
    };
    if (point < 0x80) {
      out.push_back(static_cast<char>(point));
    } else if (point < 0x800) {
      out.push_back(static_cast<char>(0xc0U | (point >> 6)));
      continuation(0);
    } else if (point < 0x10000) {
      out.push_back(static_cast<char>(0xe0U | (point >> 12)));
      continuation(6);
      continuation(0);
    } else {
      out.push_back(static_cast<char>(0xf0U | (point >> 18)));
      continuation(12);
      continuation(6);
      continuation(0);
    }
  }

  /// Decimal with a sign, or 0x, 0o, 0b without one; underscores between digits.
  base::Result<TomlValue> integer(std::string_view word) const {
    std::string digits;
    int base = 10;
    std::string_view rest = word;
    if (rest.starts_with("0x") || rest.starts_with("0o") || rest.starts_with("0b")) {
      base = rest[1] == 'x' ? 16 : rest[1] == 'o' ? 8 : 2;
      rest.remove_prefix(2);
      if (rest.starts_with('-')) rest = {};
    } else if (rest.starts_with('+')) {
      rest.remove_prefix(1);
      if (rest.starts_with('-')) rest = {};
    }
    for (std::size_t k = 0; k < rest.size(); ++k) {
      if (rest[k] != '_') {
        digits.push_back(rest[k]);
      } else if (k == 0 || k + 1 == rest.size() || rest[k - 1] == '_' || rest[k - 1] == '-') {
        return wrong("misplaced underscore in a number");
      }
    }
    const std::size_t first = digits.starts_with('-') ? 1 : 0;
    const bool leading_zero = base == 10 && digits.size() > first + 1 && digits[first] == '0';
    std::int64_t number = 0;
    const char* last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, number, base);
    if (digits.empty() || error != std::errc{} || end != last || leading_zero) {
      return wrong("expected a string, an integer, true or false");
    }
    return TomlValue(number);
  }

  std::string_view left_;
  std::size_t line_;
};

}  // namespace

base::Result<std::vector<TomlEntry>> parse_toml(std::string_view text) {
  std::vector<TomlEntry> entries;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view content = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (content.ends_with('\r')) content.remove_suffix(1);
    auto entry = TRY(LineParser(content, line).parse());
    if (entry) entries.push_back(*std::move(entry));
  }
  return entries;
}

}  // namespace shim::bootstrap
