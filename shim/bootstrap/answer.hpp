// What `start` prints. docs/formats/shim-bootstrap.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shim/bootstrap/options.hpp"
#include "shim/bootstrap/start_input.hpp"

namespace shim::bootstrap {

enum class Dialect : std::uint8_t {
  Address,   ///< the bare address: every containerd takes it, as version 2
  Json,      ///< version 3, containerd 2.0 and later
  Protobuf,  ///< BootstrapResult, containerd 2.3 and later
};

/// `switched` is the environment's WHERRY_SHIM_VERSION, or empty.
Dialect choose_dialect(const StartInput& input, const Options& options, std::string_view switched);

/// `socket` is a path; the answer holds "unix://" and the path.
std::string start_answer(Dialect dialect, std::string_view socket);

/// Daemons before 2.0 look for the file `address` in each bundle.
inline bool needs_address_file(Dialect dialect) { return dialect != Dialect::Protobuf; }

/// Writes that file.
base::Result<void> write_address_file(const std::string& bundle, std::string_view socket);

}  // namespace shim::bootstrap
