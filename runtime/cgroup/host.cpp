// Detection of the mounted hierarchies from mountinfo and /proc/self/cgroup.
#include "runtime/cgroup/host.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/file.hpp"
#include "base/mountinfo.hpp"

namespace runtime::cgroup {
namespace {

constexpr std::size_t kMaxMountinfo = std::size_t{64} << 20;
constexpr std::size_t kMaxSelfCgroup = std::size_t{1} << 20;
constexpr std::size_t kMaxControllers = 4096;

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

struct CgroupMount {
  std::string root;
  std::string mount_point;
  Version version = Version::None;
  std::vector<std::string> options;  // of the superblock: for v1 they contain the controllers
};

std::optional<CgroupMount> parse_cgroup_mount(std::string_view text) {
  std::optional<base::MountLine> line = base::parse_mount_line(text);
  if (!line || (line->type != "cgroup" && line->type != "cgroup2")) return std::nullopt;
  return CgroupMount{std::move(line->root), std::move(line->mount_point),
                     line->type == "cgroup" ? Version::V1 : Version::V2,
                     split(line->super_options, ',')};
}

// A mount may show only the part of the hierarchy below `root`, as in a container that shares the
// host's cgroup namespace.
std::string below_mount(std::string_view own, std::string_view root) {
  if (root == "/") return std::string(own);
  if (own == root) return "/";
  if (own.starts_with(root) && own[root.size()] == '/') return std::string(own.substr(root.size()));
  return "/";
}

bool shows(const CgroupMount& mount, const std::vector<std::string>& controllers) {
  if (controllers.empty()) return mount.version == Version::V2;
  return mount.version == Version::V1 &&
         std::ranges::find(mount.options, controllers.front()) != mount.options.end();
}

}  // namespace

bool Hierarchy::has(std::string_view controller) const {
  return std::ranges::find(controllers, controller) != controllers.end();
}

const Hierarchy* Host::find(std::string_view controller) const {
  for (const Version version : {Version::V1, Version::V2}) {
    for (const Hierarchy& hierarchy : hierarchies) {
      if (hierarchy.version == version && hierarchy.has(controller)) return &hierarchy;
    }
  }
  return nullptr;
}

Version Host::version_of(std::string_view controller) const {
  const Hierarchy* hierarchy = find(controller);
  return hierarchy == nullptr ? Version::None : hierarchy->version;
}

const Hierarchy* Host::unified() const {
  const auto at = std::ranges::find(hierarchies, Version::V2, &Hierarchy::version);
  return at == hierarchies.end() ? nullptr : &*at;
}

base::Result<Host> parse_host(std::string_view mountinfo, std::string_view self_cgroup) {
  std::vector<CgroupMount> mounts;
  for (const std::string& line : split(mountinfo, '\n')) {
    if (auto mount = parse_cgroup_mount(line)) mounts.push_back(std::move(*mount));
  }
  Host host;
  bool any_v1_controller = false;
  // "4:memory:/some/path"; for v2 "0::/some/path".
  for (const std::string& line : split(self_cgroup, '\n')) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::vector<std::string> names = split(line.substr(first + 1, second - first - 1), ',');
    const auto mount =
        std::ranges::find_if(mounts, [&](const CgroupMount& each) { return shows(each, names); });
    if (mount == mounts.end()) continue;
    Hierarchy hierarchy{mount->version, mount->mount_point, names,
                        below_mount(line.substr(second + 1), mount->root)};
    if (mount->version == Version::V1 && !names.front().starts_with("name=")) {
      any_v1_controller = true;
    }
    host.hierarchies.push_back(std::move(hierarchy));
  }
  if (host.hierarchies.empty()) {
    return base::fail(base::ErrorKind::NotFound, "no cgroup file system is mounted");
  }
  if (host.unified() == nullptr) {
    host.layout = Layout::V1;
  } else {
    host.layout = any_v1_controller ? Layout::Hybrid : Layout::V2;
  }
  return host;
}

namespace {

base::Result<Host> detect(const std::string& process) {
  const std::string mounts = TRY(base::read_file("/proc/self/mountinfo", kMaxMountinfo));
  const std::string own = TRY(base::read_file("/proc/" + process + "/cgroup", kMaxSelfCgroup));
  Host host = TRY(base::with_context(parse_host(mounts, own), "detect cgroups"));
  for (Hierarchy& hierarchy : host.hierarchies) {
    if (hierarchy.version != Version::V2) continue;
    std::string offered =
        TRY(base::read_file(hierarchy.mount_point + "/cgroup.controllers", kMaxControllers));
    std::ranges::replace(offered, '\n', ' ');
    hierarchy.controllers = split(offered, ' ');
  }
  return host;
}

}  // namespace

base::Result<Host> detect_host() { return detect("self"); }
base::Result<Host> detect_host_of(pid_t pid) { return detect(std::to_string(pid)); }

}  // namespace runtime::cgroup
