#include "runtime/cli/quantity.hpp"

#include <array>
#include <charconv>

namespace runtime::cli {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kDurations = {Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000},
                                   Unit{"h", 3'600'000}};
constexpr std::array kSizes = {Unit{"", 1},
                               Unit{"k", std::uint64_t{1} << 10},
                               Unit{"m", std::uint64_t{1} << 20},
                               Unit{"g", std::uint64_t{1} << 30},
                               Unit{"t", std::uint64_t{1} << 40},
                               Unit{"K", std::uint64_t{1} << 10},
                               Unit{"M", std::uint64_t{1} << 20},
                               Unit{"G", std::uint64_t{1} << 30},
                               Unit{"T", std::uint64_t{1} << 40}};
constexpr std::uint64_t kMaxDuration = std::uint64_t{10} * 366 * 24 * 3'600'000;

template <std::size_t N>
base::Result<std::uint64_t> parse(std::string_view what, const std::string& text,
                                  std::string_view option, const std::array<Unit, N>& units,
                                  std::uint64_t least, std::uint64_t most) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  const std::string_view name(rest, static_cast<std::size_t>(end - rest));
  if (error == std::errc{} && number >= least) {
    for (const Unit& unit : units) {
      if (unit.name == name && number <= most / unit.factor) return number * unit.factor;
    }
  }
  return base::fail(base::ErrorKind::Invalid, "invalid " + std::string(what) + " \"" + text +
                                                  "\" for -" + std::string(option));
}

}  // namespace

base::Result<std::chrono::milliseconds> parse_duration(const std::string& text,
                                                       std::string_view option) {
  return std::chrono::milliseconds(
      TRY(parse("duration", text, option, kDurations, 1, kMaxDuration)));
}

base::Result<std::uint64_t> parse_size(const std::string& text, std::string_view option) {
  return parse("size", text, option, kSizes, 0, ~std::uint64_t{0});
}

}  // namespace runtime::cli
