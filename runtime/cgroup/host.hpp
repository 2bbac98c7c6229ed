// What cgroups this machine has: which hierarchies are mounted where, with which controllers, and
// where this process is in each (cgroups(7); Documentation/admin-guide/cgroup-v2.rst, "Mounting").
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace runtime::cgroup {

enum class Version : std::uint8_t { None, V1, V2 };

/// V1: only v1 hierarchies. Hybrid: v1, and v2 below the same tmpfs. V2: only v2 ("unified").
enum class Layout : std::uint8_t { V1, Hybrid, V2 };

/// One mounted hierarchy.
struct Hierarchy {
  Version version = Version::V1;
  std::string mount_point;
  /// v1: as in /proc/self/cgroup, "name=systemd" included. v2: those that its root offers.
  std::vector<std::string> controllers;
  /// The cgroup of this process as a path below mount_point; "/" is the root.
  std::string own_path;

  bool has(std::string_view controller) const;
};

struct Host {
  Layout layout = Layout::V1;
  std::vector<Hierarchy> hierarchies;

  /// The v1 hierarchy with this controller, else the v2 one, else nullptr.
  const Hierarchy* find(std::string_view controller) const;
  Version version_of(std::string_view controller) const;
  /// The v2 hierarchy or nullptr.
  const Hierarchy* unified() const;
};

/// Pure: from the texts of /proc/self/mountinfo and /proc/self/cgroup. The controllers of v2 are
/// not in them and stay empty. NotFound when no cgroup file system is mounted.
base::Result<Host> parse_host(std::string_view mountinfo, std::string_view self_cgroup);
/// The host as this process sees it.
base::Result<Host> detect_host();
/// The same with the places of another process in Hierarchy::own_path.
base::Result<Host> detect_host_of(pid_t pid);

}  // namespace runtime::cgroup
