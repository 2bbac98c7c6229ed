// Detection by mountinfo and the directory info/.
#include "runtime/resctrl/host.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/file.hpp"
#include "base/mountinfo.hpp"

namespace runtime::resctrl {
namespace {

constexpr std::size_t kMaxMountinfo = std::size_t{64} << 20;
constexpr std::size_t kMaxMonitors = 4096;

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

}  // namespace

std::optional<std::string> find_root(std::string_view mountinfo) {
  while (!mountinfo.empty()) {
    std::optional<base::MountLine> line = base::parse_mount_line(take_line(mountinfo));
    // Part of it, bound into a container, is no place to make groups in.
    if (line && line->type == "resctrl" && line->root == "/") return std::move(line->mount_point);
  }
  return std::nullopt;
}

Monitors parse_monitors(std::string_view text) {
  Monitors out;
  while (!text.empty()) {
    const std::string_view name = take_line(text);
    out.llc_occupancy |= name == "llc_occupancy";
    out.mbm_total_bytes |= name == "mbm_total_bytes";
    out.mbm_local_bytes |= name == "mbm_local_bytes";
  }
  return out;
}

Host read_host(std::string root) {
  Host out;
  out.has_cache = exists(root + "/info/L3");
  out.has_bandwidth = exists(root + "/info/MB");
  out.monitors = parse_monitors(
      base::read_file(root + "/info/L3_MON/mon_features", kMaxMonitors).value_or(""));
  out.root = std::move(root);
  return out;
}

base::Result<Host> detect_host() {
  const std::string mounts = TRY(base::read_file("/proc/self/mountinfo", kMaxMountinfo));
  std::optional<std::string> root = find_root(mounts);
  if (!root) return base::fail(base::ErrorKind::NotFound, "no resctrl file system is mounted");
  return read_host(std::move(*root));
}

}  // namespace runtime::resctrl
