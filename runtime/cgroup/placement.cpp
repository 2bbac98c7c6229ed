// linux.cgroupsPath to directories.
#include "runtime/cgroup/placement.hpp"

#include <algorithm>

namespace runtime::cgroup {
namespace {

base::Result<std::string> clean(std::string_view path) {
  std::string out;
  for (std::string_view rest = path; !rest.empty();) {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      return base::fail(base::ErrorKind::Invalid,
                        "linux.cgroupsPath: \"..\" in " + std::string(path));
    }
    out += '/';
    out += part;
  }
  if (out.empty()) {
    return base::fail(base::ErrorKind::Invalid,
                      "linux.cgroupsPath: " + std::string(path) + " is the root of the cgroups");
  }
  return out;
}

// What relative paths are relative to; without a slash at the end.
std::string base_of(const Hierarchy& hierarchy, Layout layout) {
  if (hierarchy.own_path == "/") return "";
  if (layout != Layout::V2) return hierarchy.own_path;
  return hierarchy.own_path.substr(0, hierarchy.own_path.rfind('/'));
}

}  // namespace

base::Result<Paths> place(const Host& host, std::string_view cgroups_path, std::string_view id) {
  const std::string by_id = '/' + std::string(id);
  const std::string_view wanted = cgroups_path.empty() ? by_id : cgroups_path;
  const std::string relative = TRY(clean(wanted));
  const bool absolute = wanted.starts_with('/');
  Paths paths;
  for (const Hierarchy& hierarchy : host.hierarchies) {
    std::string path = hierarchy.mount_point;
    if (!absolute) path += base_of(hierarchy, host.layout);
    path += relative;
    if (hierarchy.version == Version::V2) paths[""] = path;
    if (hierarchy.version == Version::V1) {
      for (const std::string& controller : hierarchy.controllers) paths[controller] = path;
    }
  }
  return paths;
}

}  // namespace runtime::cgroup
