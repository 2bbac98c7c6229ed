// Detection of the mounted hierarchies from mountinfo and /proc/self/cgroup.
#include "runtime/cgroup/host.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/file.hpp"

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

// proc_pid_mountinfo(5) writes space, tab, newline and backslash as three octal digits.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](std::size_t at) { return at < text.size() ? text[at] - '0' : -1; };
    const int a = digit(i + 1), b = digit(i + 2), c = digit(i + 3);
    const auto octal = [](int d) { return d >= 0 && d <= 7; };
    if (text[i] == '\\' && octal(a) && octal(b) && octal(c)) {
      out += static_cast<char>(a * 64 + b * 8 + c);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

struct MountLine {
  std::string root;
  std::string mount_point;
  Version version = Version::None;
  std::vector<std::string> options;  // of the superblock: for v1 they contain the controllers
};

// "36 35 98:0 <root> <mount point> <options> <optional fields> - <type> <source> <super options>"
std::optional<MountLine> parse_mount_line(std::string_view line) {
  const std::size_t dash = line.find(" - ");
  if (dash == std::string_view::npos) return std::nullopt;
  const std::vector<std::string> head = split(line.substr(0, dash), ' ');
  const std::vector<std::string> tail = split(line.substr(dash + 3), ' ');
  if (head.size() < 6 || tail.size() < 3) return std::nullopt;
  MountLine out{unescape(head[3]), unescape(head[4]), Version::None, split(tail[2], ',')};
  if (tail[0] == "cgroup") out.version = Version::V1;
  if (tail[0] == "cgroup2") out.version = Version::V2;
  if (out.version == Version::None) return std::nullopt;
  return out;
}

// A mount may show only the part of the hierarchy below `root`, as in a container that shares the
// host's cgroup namespace.
std::string below_mount(std::string_view own, std::string_view root) {
  if (root == "/") return std::string(own);
  if (own == root) return "/";
  if (own.starts_with(root) && own[root.size()] == '/') return std::string(own.substr(root.size()));
  return "/";
}

bool shows(const MountLine& mount, const std::vector<std::string>& controllers) {
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
  std::vector<MountLine> mounts;
  for (const std::string& line : split(mountinfo, '\n')) {
    if (auto mount = parse_mount_line(line)) mounts.push_back(std::move(*mount));
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
        std::ranges::find_if(mounts, [&](const MountLine& each) { return shows(each, names); });
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
