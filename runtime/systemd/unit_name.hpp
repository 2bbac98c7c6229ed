// linux.cgroupsPath as the systemd driver reads it: "slice:prefix:name" (runc's docs/systemd.md;
// systemd.slice(5) for what a slice's name says about its place).
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace runtime::systemd {

struct UnitName {
  std::string slice;  ///< "machine.slice"; for a slice unit its parent
  std::string unit;   ///< "libpod-4711.scope", or a slice

  bool is_slice() const { return unit.ends_with(".slice"); }
  bool operator==(const UnitName&) const = default;
};

/// Pure. An empty path means ":wherry:<id>", an empty slice system.slice, for a user's manager
/// user.slice. A name that ends in .slice is a slice unit, for which the prefix means nothing.
/// Invalid when it is not of three parts, or a part is no part of a unit's name.
base::Result<UnitName> parse_unit_name(std::string_view cgroups_path, std::string_view id,
                                       bool is_user);

/// Pure: the cgroup of a slice below its manager's: "a-b.slice" is "/a.slice/a-b.slice", "-.slice"
/// is "". Invalid when the name is no slice's.
base::Result<std::string> expand_slice(std::string_view slice);

/// Pure: the cgroup of the unit below its manager's.
base::Result<std::string> cgroup_of(const UnitName& name);

}  // namespace runtime::systemd
