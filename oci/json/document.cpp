#include "oci/json/document.hpp"

#include <bit>
#include <limits>

#include "oci/json/utf8.hpp"

namespace oci::json {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Recursive descent; the depth of the recursion is that of the text, at most kMaxDepth. Each
// function that reads something returns false after fail().
class Parser {
 public:
  Parser(std::string& text, std::vector<Node>& nodes) : text_(text), nodes_(nodes) {}

  base::Result<void> parse() {
    bool ok = value();
    if (ok) {
      skip_blanks();
      ok = at_ == text_.size() || fail("unexpected text behind the document");
    }
    if (ok) return {};
    if (limit_exceeded_) {
      return base::fail(base::ErrorKind::LimitExceeded,
                        "JSON of more than " + std::to_string(kMaxDepth) + " levels or " +
                            std::to_string(kMaxValues) + " values");
    }
    return base::fail(base::ErrorKind::Invalid,
                      "invalid JSON at byte " + std::to_string(at_) + ": " + problem_);
  }

 private:
  bool fail(const char* problem) {
    problem_ = problem;
    return false;
  }

  /// 0 at the end of the text; a NUL byte in the text fits nowhere either.
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool take(char c) {
    if (peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }

  void skip_blanks() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c != ' ' && c != '\n' && c != '\t' && c != '\r') return;
      ++at_;
    }
  }

  bool add(Node node) {
    limit_exceeded_ = nodes_.size() == kMaxValues;
    if (limit_exceeded_) return false;
    nodes_.push_back(node);
    return true;
  }

  bool value() {
    skip_blanks();
    switch (peek()) {
      case '{':
        return container(Kind::Object, '}');
      case '[':
        return container(Kind::Array, ']');
      case '"':
        return string();
      case 't':
        return word("true", Kind::True);
      case 'f':
        return word("false", Kind::False);
      case 'n':
        return word("null", Kind::Null);
      default:
        return number();
    }
  }

  bool word(std::string_view name, Kind kind) {
    if (!std::string_view(text_).substr(at_).starts_with(name)) return fail("expected a value");
    at_ += name.size();
    return add({0, 0, kind});
  }

  bool container(Kind kind, char closing) {
    limit_exceeded_ = depth_ == kMaxDepth;
    if (limit_exceeded_) return false;
    ++depth_;
    ++at_;
    const std::size_t self = nodes_.size();
    if (!add({0, 0, kind})) return false;
    skip_blanks();
    if (!take(closing)) {
      do {
        if (kind == Kind::Object && !key()) return false;
        if (!value()) return false;
        skip_blanks();
      } while (take(','));
      if (!take(closing)) {
        return fail(kind == Kind::Object ? "expected , or }" : "expected , or ]");
      }
    }
    nodes_[self].extent = static_cast<std::uint32_t>(nodes_.size());
    --depth_;
    return true;
  }

  bool key() {
    skip_blanks();
    if (peek() != '"') return fail("expected a member's name");
    if (!string()) return false;
    skip_blanks();
    return take(':') || fail("expected :");
  }

  bool number() {
    const std::size_t begin = at_;
    const bool negative = take('-');
    if (!is_digit(peek())) return fail("expected a value");
    std::uint64_t magnitude = 0;
    bool fits = true;
    const bool leading_zero = peek() == '0';
    for (; is_digit(peek()); ++at_) {
      const auto digit = static_cast<std::uint64_t>(peek() - '0');
      fits = fits && !__builtin_mul_overflow(magnitude, 10U, &magnitude) &&
             !__builtin_add_overflow(magnitude, digit, &magnitude);
    }
    if (leading_zero && at_ - begin > (negative ? 2U : 1U)) return fail("number with leading zero");
    bool integer = true;
    if (take('.')) {
      integer = false;
      if (!digits()) return false;
    }
    if (take('e') || take('E')) {
      integer = false;
      if (!take('+')) take('-');
      if (!digits()) return false;
    }
    constexpr auto kMinMagnitude = std::uint64_t{1} << 63;
    if (!integer || !fits || (negative && magnitude > kMinMagnitude)) {
      return add({0, 0, Kind::OtherNumber});
    }
    if (negative && magnitude != 0) return add({0 - magnitude, 0, Kind::Negative});
    return add({magnitude, 0, Kind::Unsigned});
  }

  bool digits() {
    if (!is_digit(peek())) return fail("expected a digit");
    while (is_digit(peek())) ++at_;
    return true;
  }

  /// Unescapes in place: what is written is never longer than what was read.
  bool string() {
    ++at_;
    const std::size_t begin = at_;
    std::size_t end = begin;
    while (true) {
      if (at_ == text_.size()) return fail("string without an end");
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') break;
      if (c == '\\') {
        if (!escape(end)) return false;
      } else if (c < 0x20) {
        return fail("control character in a string");
      } else if (c < 0x80) {
        text_[end++] = text_[at_++];
      } else {
        const std::size_t length = utf8_length(std::string_view(text_).substr(at_));
        if (length == 0) return fail("string that is not UTF-8");
        for (std::size_t i = 0; i < length; ++i) text_[end++] = text_[at_++];
      }
    }
    ++at_;
    return add({begin, static_cast<std::uint32_t>(end - begin), Kind::String});
  }

  bool escape(std::size_t& end) {
    static constexpr std::string_view kLetters = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    ++at_;
    if (peek() == 'u') return unicode_escape(end);
    const std::size_t letter = kLetters.find(peek());
    if (at_ == text_.size() || letter == kLetters.npos) return fail("unknown escape");
    text_[end++] = kMeanings[letter];
    ++at_;
    return true;
  }

  bool unicode_escape(std::size_t& end) {
    std::uint32_t code = 0;
    if (!hex_escape(code)) return false;
    const auto is_high = [](std::uint32_t c) { return c >= 0xD800 && c <= 0xDBFF; };
    const auto is_low = [](std::uint32_t c) { return c >= 0xDC00 && c <= 0xDFFF; };
    if (is_high(code) && std::string_view(text_).substr(at_).starts_with("\\u")) {
      const std::size_t before = at_;
      std::uint32_t low = 0;
      ++at_;
      if (!hex_escape(low)) return false;
      if (is_low(low)) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      } else {
        at_ = before;
      }
    }
    if (is_high(code) || is_low(code)) code = 0xFFFD;
    write_utf8(code, end);
    return true;
  }

  /// Reads "uXXXX".
  bool hex_escape(std::uint32_t& code) {
    ++at_;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      std::uint32_t digit = 0;
      if (is_digit(c)) {
        digit = static_cast<std::uint32_t>(c - '0');
      } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
        digit = static_cast<std::uint32_t>((c | 0x20) - 'a' + 10);
      } else {
        return fail("expected four hexadecimal digits");
      }
      code = code << 4 | digit;
    }
    return true;
  }

  void write_utf8(std::uint32_t code, std::size_t& end) {
    const auto put = [&](std::uint32_t byte) { text_[end++] = static_cast<char>(byte); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
      put(0xC0 | code >> 6);
    } else if (code < 0x10000) {
      put(0xE0 | code >> 12);
      put(0x80 | (code >> 6 & 0x3F));
    } else {
      put(0xF0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3F));
      put(0x80 | (code >> 6 & 0x3F));
    }
    put(0x80 | (code & 0x3F));
  }

  std::string& text_;
  std::vector<Node>& nodes_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  const char* problem_ = "";
  bool limit_exceeded_ = false;
};

}  // namespace

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::Null:
      return "null";
    case Kind::False:
    case Kind::True:
      return "boolean";
    case Kind::Unsigned:
    case Kind::Negative:
    case Kind::OtherNumber:
      return "number";
    case Kind::String:
      return "string";
    case Kind::Array:
      return "array";
    case Kind::Object:
      return "object";
  }
  return {};
}

base::Result<Document> Document::parse(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return base::fail(base::ErrorKind::LimitExceeded,
                      "JSON of more than " + std::to_string(kMaxBytes) + " bytes");
  }
  Document document;
  document.text_ = text;
  TRY(Parser(document.text_, document.nodes_).parse());
  return document;
}

std::optional<std::string_view> Value::string() const {
  const Node& self = node();
  if (self.kind != Kind::String) return std::nullopt;
  return std::string_view(document_->text_).substr(self.payload, self.extent);
}

std::optional<bool> Value::boolean() const {
  if (kind() == Kind::True) return true;
  if (kind() == Kind::False) return false;
  return std::nullopt;
}

std::optional<std::uint64_t> Value::unsigned_integer() const {
  if (kind() != Kind::Unsigned) return std::nullopt;
  return node().payload;
}

std::optional<std::int64_t> Value::signed_integer() const {
  const Node& self = node();
  if (self.kind == Kind::Negative) return std::bit_cast<std::int64_t>(self.payload);
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (self.kind != Kind::Unsigned || self.payload > kMax) return std::nullopt;
  return static_cast<std::int64_t>(self.payload);
}

std::optional<Value> Value::find(std::string_view name) const {
  std::optional<Value> found;
  for_each_member([&](std::string_view key, Value member) {
    if (key == name) found = member;
  });
  return found;
}

}  // namespace oci::json
