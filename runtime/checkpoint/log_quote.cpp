#include "runtime/checkpoint/log_quote.hpp"

#include <algorithm>

#include "base/file.hpp"

namespace runtime::checkpoint {
namespace {

constexpr std::size_t kBefore = 5;
constexpr std::size_t kMostLines = 64;
constexpr std::size_t kMaxLog = std::size_t{16} << 20;

}  // namespace

std::vector<std::string> quote_errors(std::string_view log) {
  std::vector<std::string_view> lines;
  while (!log.empty()) {
    lines.push_back(log.substr(0, log.find('\n')));
    log.remove_prefix(std::min(lines.back().size() + 1, log.size()));
  }
  std::vector<std::string> out;
  std::size_t printed = 0;  // lines before this one are out, or passed over
  for (std::size_t i = 0; i < lines.size() && out.size() < kMostLines; ++i) {
    if (!lines[i].contains("Error")) continue;
    const std::size_t from = std::max(printed, i - std::min(i, kBefore));
    if (printed != 0 && from > printed) out.emplace_back("...");
    for (std::size_t k = from; k <= i; ++k) {
      out.push_back(std::to_string(k + 1) + ':' + std::string(lines[k]));
    }
    printed = i + 1;
  }
  return out;
}

std::vector<std::string> quote_log(const std::string& path) {
  const base::Result<std::string> log = base::read_file(path, kMaxLog);
  if (!log) return {log.error().message()};
  std::vector<std::string> out = quote_errors(*log);
  if (out.empty()) return out;
  out.insert(out.begin(), "--- Quoting \"" + path + '"');
  out.emplace_back("---");
  return out;
}

}  // namespace runtime::checkpoint
