// Where the kernel's resctrl file system is mounted and what it offers
// (Documentation/arch/x86/resctrl.rst, "Info directory").
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace runtime::resctrl {

/// The counters of a monitoring group.
struct Monitors {
  bool llc_occupancy = false;
  bool mbm_total_bytes = false;
  bool mbm_local_bytes = false;
};

struct Host {
  std::string root;            ///< the mount point
  bool has_cache = false;      ///< L3 cache can be allocated (CAT)
  bool has_bandwidth = false;  ///< memory bandwidth can be allocated (MBA)
  Monitors monitors;
};

/// Pure: the mount point in a text like /proc/self/mountinfo.
std::optional<std::string> find_root(std::string_view mountinfo);
/// Pure: the text of info/L3_MON/mon_features; counters that are not known here are skipped.
Monitors parse_monitors(std::string_view text);

/// What the file system at `root` offers.
Host read_host(std::string root);
/// The one of this machine. NotFound when none is mounted.
base::Result<Host> detect_host();

}  // namespace runtime::resctrl
