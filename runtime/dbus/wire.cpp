// Marshalling.
#include "runtime/dbus/wire.hpp"

#include <array>

namespace runtime::dbus {
namespace {

std::unexpected<base::Error> broken(const char* what) {
  return base::fail(base::ErrorKind::Invalid, std::string("D-Bus: ") + what);
}

// In the order of Value's alternatives.
constexpr std::array<std::string_view, std::variant_size_v<Value>> kSignatures{
    "b", "y", "n", "q", "i", "u", "x", "t", "d", "s", "ay", "au", "as", "a(ss)"};

struct PutValue {
  Writer& out;

  void operator()(bool value) const { out.boolean(value); }
  template <typename Number>
    requires std::is_arithmetic_v<Number>
  void operator()(Number value) const {
    out.number(value);
  }
  void operator()(const std::string& value) const { out.string(value); }
  void operator()(const std::vector<std::uint8_t>& value) const {
    const Writer::Mark mark = out.begin_array(1);
    for (const std::uint8_t each : value) out.number(each);
    out.end_array(mark);
  }
  void operator()(const std::vector<std::uint32_t>& value) const {
    const Writer::Mark mark = out.begin_array(4);
    for (const std::uint32_t each : value) out.number(each);
    out.end_array(mark);
  }
  void operator()(const std::vector<std::string>& value) const {
    const Writer::Mark mark = out.begin_array(4);
    for (const std::string& each : value) out.string(each);
    out.end_array(mark);
  }
  void operator()(const StringPairs& value) const {
    const Writer::Mark mark = out.begin_array(8);
    for (const auto& [first, second] : value) {
      out.align(8);
      out.string(first);
      out.string(second);
    }
    out.end_array(mark);
  }
};

// Zero: no basic type of a fixed size.
std::size_t fixed_size(char type) {
  switch (type) {
    case 'y':
      return 1;
    case 'n':
    case 'q':
      return 2;
    case 'b':
    case 'i':
    case 'u':
    case 'h':
      return 4;
    case 'x':
    case 't':
    case 'd':
      return 8;
    default:
      return 0;
  }
}

}  // namespace

std::string_view signature_of(const Value& value) { return kSignatures[value.index()]; }

void Writer::string(std::string_view text) {
  number(static_cast<std::uint32_t>(text.size()));
  bytes_ += text;
  bytes_ += '\0';
}

void Writer::signature(std::string_view text) {
  number(static_cast<std::uint8_t>(text.size()));
  bytes_ += text;
  bytes_ += '\0';
}

void Writer::variant(const Value& value) {
  signature(signature_of(value));
  std::visit(PutValue{*this}, value);
}

Writer::Mark Writer::begin_array(std::size_t element_alignment) {
  align(4);
  const std::size_t length_at = bytes_.size();
  number(std::uint32_t{0});
  align(element_alignment);
  return {length_at, bytes_.size()};
}

void Writer::end_array(Mark mark) {
  const auto length = static_cast<std::uint32_t>(bytes_.size() - mark.begin);
  std::memcpy(bytes_.data() + mark.length_at, &length, sizeof(length));
}

base::Result<std::string_view> Reader::take(std::size_t count) {
  if (count > bytes_.size() - position_) return broken("a value ends behind its message");
  const std::string_view out = bytes_.substr(position_, count);
  position_ += count;
  return out;
}

base::Result<void> Reader::align(std::size_t boundary) {
  const std::string_view padding = TRY(take((boundary - position_ % boundary) % boundary));
  if (padding.find_first_not_of('\0') != padding.npos) return broken("padding is not zero");
  return {};
}

base::Result<std::string> Reader::text(std::size_t length) {
  const std::string_view out = TRY(take(length));
  const std::string_view end = TRY(take(1));
  if (end[0] != '\0' || out.contains('\0')) return broken("a string with a zero at a wrong place");
  return std::string(out);
}

base::Result<std::string> Reader::string() {
  const std::uint32_t length = TRY(number<std::uint32_t>());
  return text(length);
}

base::Result<std::string> Reader::signature() {
  const std::uint8_t length = TRY(number<std::uint8_t>());
  return text(length);
}

base::Result<std::string> Reader::string_variant() {
  const std::string type = TRY(signature());
  if (type != "s") return broken("a variant that should hold a string");
  return string();
}

base::Result<void> Reader::skip(char type) {
  if (type == 's' || type == 'o') {
    TRY(string());
    return {};
  }
  if (type == 'g') {
    TRY(signature());
    return {};
  }
  const std::size_t size = fixed_size(type);
  if (size == 0) return broken("a header field of a compound type");
  TRY(align(size));
  TRY(take(size));
  return {};
}

}  // namespace runtime::dbus
