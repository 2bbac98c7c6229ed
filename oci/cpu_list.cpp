#include "oci/cpu_list.hpp"

#include <charconv>
#include <limits>
#include <optional>
#include <string>

namespace oci {
namespace {

constexpr std::size_t kBitsPerWord = std::numeric_limits<unsigned long>::digits;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

std::optional<std::size_t> number(std::string_view text) {
  std::size_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size() || out >= kMaxCpus) {
    return std::nullopt;
  }
  return out;
}

}  // namespace

base::Result<std::vector<unsigned long>> parse_cpu_list(std::string_view list) {
  std::vector<unsigned long> mask;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view item = trim(list.substr(0, comma));
    list = comma == list.npos ? std::string_view{} : list.substr(comma + 1);
    if (item.empty()) continue;

    const std::size_t dash = item.find('-');
    const auto first = number(item.substr(0, dash));
    const auto last = dash == item.npos ? first : number(item.substr(dash + 1));
    if (!first || !last || *first > *last) {
      return base::fail(base::ErrorKind::Invalid,
                        "invalid list item \"" + std::string(item.substr(0, 64)) + "\"");
    }
    if (mask.size() <= *last / kBitsPerWord) mask.resize(*last / kBitsPerWord + 1);
    for (std::size_t bit = *first; bit <= *last; ++bit) {
      mask[bit / kBitsPerWord] |= 1UL << bit % kBitsPerWord;
    }
  }
  return mask;
}

}  // namespace oci
