// What `start` is told on its standard input: the two dialects of containerd, told apart.
// docs/formats/shim-bootstrap.md.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "shim/bootstrap/command_line.hpp"
#include "shim/protocol/bootstrap.hpp"
#include "shim/protocol/well_known.hpp"

namespace shim::bootstrap {

struct StartInput {
  /// From containerd 2.3 and later.
  std::optional<protocol::BootstrapParams> params;
  /// For read_options() (options.hpp).
  std::optional<protocol::Any> options;
};

/// Of what stood on the standard input. `line` decides which message it is.
base::Result<StartInput> parse_start_input(std::string_view bytes, const CommandLine& line);

/// Everything up to the end of the file; empty for a terminal and a closed descriptor.
/// LimitExceeded when it is more than protocol::kMaxMessage or does not end within ten seconds.
base::Result<std::string> read_standard_input(int fd);

}  // namespace shim::bootstrap
