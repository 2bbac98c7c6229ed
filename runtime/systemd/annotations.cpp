// Annotations as properties: the part of GVariant's text format that properties of units need.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "runtime/systemd/properties.hpp"

namespace runtime::systemd {
namespace {

constexpr std::string_view kPrefix = "org.systemd.property.";
constexpr std::size_t kMaxValue = std::size_t{64} << 10;

using dbus::Value;
using MaybeValue = std::optional<Value>;

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

template <typename Number>
MaybeValue number(std::string_view text) {
  Number out{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return out;
}

MaybeValue decimal(std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  const double out = std::strtod(copy.c_str(), &end);
  if (copy.empty() || *end != '\0') return std::nullopt;
  return out;
}

struct NumberType {
  std::string_view name;
  MaybeValue (*parse)(std::string_view);
};

// A number without a type is an int32, or a double if it has a point.
constexpr NumberType kNumberTypes[] = {
    {"byte ", number<std::uint8_t>},    {"int16 ", number<std::int16_t>},
    {"uint16 ", number<std::uint16_t>}, {"int32 ", number<std::int32_t>},
    {"uint32 ", number<std::uint32_t>}, {"int64 ", number<std::int64_t>},
    {"uint64 ", number<std::uint64_t>}, {"double ", decimal},
};

// Takes a quoted string off the front of `text`.
std::optional<std::string> take_string(std::string_view& text) {
  if (text.empty() || (text[0] != '\'' && text[0] != '"')) return std::nullopt;
  const char quote = text[0];
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == quote) {
      text.remove_prefix(i + 1);
      return out;
    }
    if (text[i] == '\\') ++i;
    if (i == text.size()) return std::nullopt;
    out += text[i];
  }
  return std::nullopt;
}

MaybeValue parse_array(std::string_view text) {
  std::vector<std::string> out;
  text = trim(text.substr(1, text.size() - 2));
  while (!text.empty()) {
    std::optional<std::string> item = take_string(text);
    if (!item) return std::nullopt;
    out.push_back(*std::move(item));
    text = trim(text);
    if (text.empty()) break;
    if (text[0] != ',') return std::nullopt;
    text = trim(text.substr(1));
  }
  return out;
}

MaybeValue parse_value(std::string_view text) {
  text = trim(text);
  if (text.size() > kMaxValue) return std::nullopt;
  if (text == "true") return true;
  if (text == "false") return false;
  for (const NumberType& type : kNumberTypes) {
    if (text.starts_with(type.name)) return type.parse(trim(text.substr(type.name.size())));
  }
  if (text.starts_with('[') && text.ends_with(']')) return parse_array(text);
  if (std::optional<std::string> string = take_string(text)) {
    if (!text.empty()) return std::nullopt;
    return *std::move(string);
  }
  return text.contains('.') ? decimal(text) : number<std::int32_t>(text);
}

// Seconds of whichever type as the microseconds of the property that systemd really has.
MaybeValue microseconds(const Value& value) {
  const double seconds = std::visit(
      [](const auto& each) -> double {
        if constexpr (std::is_arithmetic_v<std::remove_cvref_t<decltype(each)>>) {
          return static_cast<double>(each);
        } else {
          return -1;
        }
      },
      value);
  if (!(seconds >= 0) || seconds > 1e12) return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(seconds * 1e6));
}

bool is_name(std::string_view name) {
  return name.size() > 2 && name[0] >= 'A' && name[0] <= 'Z' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
         });
}

}  // namespace

base::Result<Properties> annotated_properties(
    const std::map<std::string, std::string>& annotations) {
  Properties out;
  for (auto at = annotations.lower_bound(std::string(kPrefix));
       at != annotations.end() && at->first.starts_with(kPrefix); ++at) {
    std::string name = at->first.substr(kPrefix.size());
    if (!is_name(name)) {
      return base::fail(base::ErrorKind::Invalid, "annotation " + at->first + ": no property name");
    }
    MaybeValue value = parse_value(at->second);
    if (value && name.ends_with("Sec") && !name.ends_with("USec")) {
      value = microseconds(*value);
      name.replace(name.size() - 3, 3, "USec");
    }
    if (!value) {
      return base::fail(base::ErrorKind::Invalid,
                        "annotation " + at->first + ": cannot be read: " + at->second);
    }
    out.push_back({std::move(name), *std::move(value), 0});
  }
  return out;
}

}  // namespace runtime::systemd
