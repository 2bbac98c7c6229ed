// containerd.runtime.bootstrap.v1 and containerd.types.RuntimeInfo: what the daemon and the program
// say to each other through stdin and stdout.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "shim/protocol/well_known.hpp"

namespace shim::protocol {

struct BootstrapExtension {
  std::optional<Any> value;
};

/// stdin of `start`, containerd 2.3 and later.
struct BootstrapParams {
  std::string instance_id;
  std::string name_space;
  std::int32_t log_level = 0;  ///< slog's: -4 debug, 0 info, 4 warning, 8 error
  std::string containerd_version;
  std::string containerd_ttrpc_address;
  std::string containerd_grpc_address;
  std::string containerd_binary;
  std::vector<BootstrapExtension> extensions;
  std::string socket_dir;
};

/// stdout of `start` to a daemon that sent BootstrapParams.
struct BootstrapResult {
  std::int32_t version = 0;
  std::string address;
  std::string protocol;
};

struct RuntimeVersion {
  std::string version;
  std::string revision;
};

/// stdout of `-info`.
struct RuntimeInfo {
  std::string name;
  std::optional<RuntimeVersion> version;
  std::optional<Any> options;
  std::optional<Any> features;
  std::map<std::string, std::string> annotations;
};

}  // namespace shim::protocol
