// What the runtime remembers of a container between two commands: docs/formats/state.md.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "runtime/cgroup/placement.hpp"
#include "runtime/resctrl/plan.hpp"
#include "runtime/systemd/unit.hpp"

namespace runtime::state {

/// A process that cannot be confused with a later one of the same number.
struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  ///< field 22 of /proc/<pid>/stat, in clock ticks since boot

  bool operator==(const ProcessId&) const = default;
};

/// How far the container came. Whether it still lives is asked of the kernel, not stored.
enum class Phase : std::uint8_t {
  Creating,  ///< the intent: what a create that dies now leaves behind
  Created,   ///< waits for start
  Started,
};

struct Record {
  std::string oci_version;
  std::string id;
  Phase phase = Phase::Creating;
  ProcessId creator;              ///< the process that creates it
  std::optional<ProcessId> init;  ///< absent until it is cloned
  std::string bundle;             ///< absolute
  std::string rootfs;             ///< absolute
  std::string created;            ///< RFC 3339, UTC, nanoseconds
  uid_t owner = 0;
  std::map<std::string, std::string> annotations;
  cgroup::Paths cgroup;                    ///< to remove
  std::optional<systemd::Unit> unit;       ///< to stop; absent without the systemd driver
  std::optional<resctrl::Groups> resctrl;  ///< absent without linux.intelRdt
  std::vector<std::string> mounts;  ///< mount points in the host's namespace, to detach in reverse
  bool is_wasm = false;             ///< its program is our own, with a module
  /// What its standard descriptors were: docs/formats/criu.md. Empty with a terminal.
  std::vector<std::string> stdio;
};

/// One JSON document, newline at the end.
std::string to_json(const Record& record);
/// Invalid, with the JSON path, for anything that to_json would not write.
base::Result<Record> parse_record(std::string_view json);

/// "2026-01-02T03:04:05.000000006Z" of the present moment.
std::string timestamp_now();

}  // namespace runtime::state
