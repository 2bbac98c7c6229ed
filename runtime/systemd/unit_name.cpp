// Names to names.
#include "runtime/systemd/unit_name.hpp"

#include <algorithm>

namespace runtime::systemd {
namespace {

constexpr std::size_t kMaxUnitName = 255;  // systemd.unit(5)
constexpr std::string_view kSliceEnd = ".slice";

std::unexpected<base::Error> wrong(std::string_view path, const std::string& why) {
  return base::fail(base::ErrorKind::Invalid,
                    "linux.cgroupsPath \"" + std::string(path) + "\": " + why);
}

bool is_unit_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view(":-_.\\@").contains(c);
}

bool is_part(std::string_view text) {
  return text.size() <= kMaxUnitName && std::ranges::all_of(text, is_unit_character);
}

// "a-b-c" to "a-b"; "a" to nothing.
std::string_view parent_of(std::string_view slice) {
  const std::size_t dash = slice.rfind('-');
  return dash == slice.npos ? std::string_view() : slice.substr(0, dash);
}

}  // namespace

base::Result<UnitName> parse_unit_name(std::string_view cgroups_path, std::string_view id,
                                       bool is_user) {
  const std::string by_id = ":wherry:" + std::string(id);
  const std::string_view path = cgroups_path.empty() ? by_id : cgroups_path;
  const std::size_t first = path.find(':');
  const std::size_t second = first == path.npos ? path.npos : path.find(':', first + 1);
  if (second == path.npos || path.find(':', second + 1) != path.npos) {
    return wrong(path, "expected \"slice:prefix:name\" for systemd cgroups");
  }
  UnitName out;
  out.slice = path.substr(0, first);
  if (out.slice.empty()) out.slice = is_user ? "user.slice" : "system.slice";
  const std::string_view prefix = path.substr(first + 1, second - first - 1);
  const std::string_view name = path.substr(second + 1);
  if (name.empty()) return wrong(path, "no name");
  out.unit = name;
  if (!out.is_slice()) {
    out.unit = (prefix.empty() ? "" : std::string(prefix) + '-') + std::string(name) + ".scope";
  }
  if (!is_part(out.slice) || !is_part(out.unit)) return wrong(path, "no name for a unit");
  if (auto expanded = expand_slice(out.slice); !expanded) {
    return std::unexpected(std::move(expanded).error());
  }
  return out;
}

base::Result<std::string> expand_slice(std::string_view slice) {
  if (slice == "-.slice") return std::string();
  const auto fail = [&] {
    return base::fail(base::ErrorKind::Invalid, '"' + std::string(slice) + "\" is no slice");
  };
  if (!slice.ends_with(kSliceEnd) || slice.contains('/')) return fail();
  const std::string_view name = slice.substr(0, slice.size() - kSliceEnd.size());
  if (name.empty() || name.starts_with('-') || name.ends_with('-') || name.contains("--")) {
    return fail();
  }
  std::string out;
  for (std::string_view level = name; !level.empty(); level = parent_of(level)) {
    out.insert(0, '/' + std::string(level) + std::string(kSliceEnd));
  }
  return out;
}

base::Result<std::string> cgroup_of(const UnitName& name) {
  if (name.is_slice()) return expand_slice(name.unit);
  return TRY(expand_slice(name.slice)) + '/' + name.unit;
}

}  // namespace runtime::systemd
