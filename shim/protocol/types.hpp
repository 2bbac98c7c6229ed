// containerd.types and containerd.v1.types: what several services share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shim/protocol/well_known.hpp"

namespace shim::protocol {

struct Mount {
  std::string type;
  std::string source;
  std::string target;
  std::vector<std::string> options;
};

enum class TaskStatus : std::int32_t {
  Unknown = 0,
  Created = 1,
  Running = 2,
  Stopped = 3,
  Paused = 4,
  Pausing = 5,
};

struct ProcessInfo {
  std::uint32_t pid = 0;
  std::optional<Any> info;
};

/// containerd.runc.v1.ProcessDetails: the `info` of a process that Exec started.
struct ProcessDetails {
  static constexpr char kTypeName[] = "containerd.runc.v1.ProcessDetails";
  std::string exec_id;
};

/// The type_urls of the runtime-spec's JSON texts in an Any.
inline constexpr char kProcessType[] = "types.containerd.io/opencontainers/runtime-spec/1/Process";
inline constexpr char kResourcesType[] =
    "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources";
inline constexpr char kSpecType[] = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
inline constexpr char kFeaturesType[] =
    "types.containerd.io/opencontainers/runtime-spec/1/features/Features";

}  // namespace shim::protocol
