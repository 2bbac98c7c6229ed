#include "runtime/resctrl/statistics.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "base/file.hpp"

namespace runtime::resctrl {
namespace {

constexpr std::size_t kMaxSchemata = std::size_t{1} << 20;
constexpr std::size_t kMaxSmallFile = 4096;

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\n");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1));
}

std::string read_word(const std::string& path) {
  return trimmed(base::read_file(path, kMaxSmallFile).value_or(""));
}

/// 0 for what is no number: "Unavailable", or a file that this machine lacks.
std::uint64_t read_number(const std::string& path) {
  const std::string text = read_word(path);
  std::uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

base::Result<std::vector<std::string>> read_schemata(const std::string& group) {
  const std::string text = TRY(base::read_file(group + "/schemata", kMaxSchemata));
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (std::string line = trimmed(std::string_view(text).substr(at, end - at)); !line.empty()) {
      out.push_back(std::move(line));
    }
    at = end + 1;
  }
  return out;
}

std::vector<DomainCounters> read_domains(const std::string& group) {
  std::vector<std::string> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator each(group + "/mon_data", error), end;
       !error && each != end; each.increment(error)) {
    if (each->is_directory(error)) paths.push_back(each->path().string());
  }
  std::ranges::sort(paths);
  std::vector<DomainCounters> out;
  for (const std::string& path : paths) {
    out.push_back({read_number(path + "/llc_occupancy"), read_number(path + "/mbm_total_bytes"),
                   read_number(path + "/mbm_local_bytes")});
  }
  return out;
}

}  // namespace

base::Result<Statistics> read_statistics(const Groups& groups, const Host& host) {
  Statistics out;
  out.root_schemata = TRY(read_schemata(host.root));
  out.schemata = TRY(read_schemata(groups.control));
  if (host.has_cache) {
    const std::string info = host.root + "/info/L3/";
    out.cache = {read_word(info + "cbm_mask"), read_number(info + "min_cbm_bits"),
                 read_number(info + "num_closids")};
  }
  if (host.has_bandwidth) {
    const std::string info = host.root + "/info/MB/";
    out.bandwidth = {read_number(info + "bandwidth_gran"), read_number(info + "delay_linear"),
                     read_number(info + "min_bandwidth"), read_number(info + "num_closids")};
  }
  out.domains = read_domains(groups.monitoring.empty() ? groups.control : groups.monitoring);
  return out;
}

std::string line_of(const std::vector<std::string>& schemata, std::string_view resource) {
  for (const std::string& each : schemata) {
    if (each.starts_with(resource) && each[resource.size()] == ':') return each;
  }
  return "";
}

}  // namespace runtime::resctrl
