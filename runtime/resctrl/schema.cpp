// What is written is not what is read back: the kernel fills in domains and pads numbers.
#include "runtime/resctrl/schema.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>

namespace runtime::resctrl {
namespace {

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::optional<std::uint64_t> number(std::string_view text, int base) {
  text = trim(text);
  if (base == 16 && text.starts_with("0x")) text.remove_prefix(2);
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || error != std::errc{} || rest != end) return std::nullopt;
  return value;
}

struct Line {
  std::string_view resource;
  std::map<std::uint64_t, std::uint64_t> domains;
};

/// Bandwidths are decimal, bit masks of caches hexadecimal.
std::optional<Line> parse_line(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  Line out{trim(text.substr(0, colon)), {}};
  const int base = out.resource.ends_with("MB") || out.resource.ends_with("MBA") ? 10 : 16;
  text.remove_prefix(colon + 1);
  while (!text.empty()) {
    const std::string_view entry = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(entry.size() + 1, text.size()));
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto domain = number(entry.substr(0, equals), 10);
    const auto value = number(entry.substr(equals + 1), base);
    if (!domain || !value) return std::nullopt;
    out.domains[*domain] = *value;
  }
  return out;
}

}  // namespace

bool is_in_force(std::string_view wanted, std::string_view schemata) {
  const std::optional<Line> asked = parse_line(wanted);
  if (!asked) return false;
  while (!schemata.empty()) {
    const std::string_view text = schemata.substr(0, schemata.find('\n'));
    schemata.remove_prefix(std::min(text.size() + 1, schemata.size()));
    const std::optional<Line> line = parse_line(text);
    if (!line || line->resource != asked->resource) continue;
    return std::ranges::all_of(asked->domains, [&line](const auto& each) {
      const auto found = line->domains.find(each.first);
      return found != line->domains.end() && found->second == each.second;
    });
  }
  return false;
}

}  // namespace runtime::resctrl
