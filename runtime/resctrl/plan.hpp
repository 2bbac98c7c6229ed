// linux.intelRdt (runtime-spec config-linux.md, "IntelRdt") as data: which groups a container is
// put into, and what is written there. Nothing is touched.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "oci/spec.hpp"
#include "runtime/resctrl/host.hpp"

namespace runtime::resctrl {

/// A container's places, as its record keeps them.
struct Groups {
  std::string root;           ///< the mount point
  std::string control;        ///< absolute; the root itself for closID "/"
  std::string monitoring;     ///< below it; empty: none of its own
  bool owns_control = false;  ///< the container made it and takes it with it

  bool operator==(const Groups&) const = default;
};

struct Plan {
  Groups groups;
  /// Somebody else's class, without schemata of ours: it is there or the container is not.
  bool must_exist = false;
  /// Removed with the container, if it made it; a class with a name of its own is kept.
  bool is_private = false;
  /// What a class that exists already must have (l3CacheSchema and memBwSchema).
  std::vector<std::string> expected;
  std::string schemata;  ///< to write, one line each; empty: nothing
};

/// Invalid for what this machine does not offer, in runc's words.
base::Result<Plan> plan_groups(const oci::IntelRdt& rdt, std::string_view id, const Host& host);

}  // namespace runtime::resctrl
