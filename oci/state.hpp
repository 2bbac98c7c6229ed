// The state of a container as other programs see it: runtime-spec 1.3.0 runtime.md "State", given
// to hooks on standard input and printed by `state`; and config-linux.md "The Container Process
// State", sent to a seccomp agent.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace oci {

/// `Paused` is runc's addition to the spec's four.
enum class Status : std::uint8_t { Creating, Created, Running, Stopped, Paused };

struct State {
  std::string oci_version;
  std::string id;
  Status status = Status::Creating;
  std::int32_t pid = 0;  ///< 0: none, and then not written
  std::string bundle;
  std::map<std::string, std::string> annotations;
};

struct ContainerProcessState {
  std::string oci_version;
  std::vector<std::string> fds;  ///< names of the descriptors sent along: "seccompFd"
  std::int32_t pid = 0;
  std::string metadata;
  State state;
};

/// One line of JSON, without a newline.
std::string to_json(const State& state);
std::string to_json(const ContainerProcessState& state);

/// Fails with Invalid, naming the JSON path, or LimitExceeded (above kMaxConfigBytes).
base::Result<State> parse_state(std::string_view json);

}  // namespace oci
