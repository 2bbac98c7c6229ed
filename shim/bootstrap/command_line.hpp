// The arguments that containerd gives to a shim. docs/formats/shim-bootstrap.md.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace shim::bootstrap {

enum class Action : std::uint8_t { None, Start, Delete, Info, Version };

struct CommandLine {
  /// None when there is no action word: what the program itself may use for its server.
  Action action = Action::None;
  std::string name_space;
  std::string id;
  std::string address;  ///< containerd's gRPC socket
  std::string publish_binary;
  std::string bundle;  ///< of `delete`; `start` has it as its working directory
  std::string socket;
  bool debug = false;
};

/// `arguments` are those behind the program's name. Invalid for unknown flags and actions; for
/// start and delete also when namespace or id are missing or could not be a part of a path.
base::Result<CommandLine> parse_command_line(std::span<const std::string_view> arguments);

}  // namespace shim::bootstrap
