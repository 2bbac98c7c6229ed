// What wherry-exec is told: docs/formats/exec-control.md. The host's side encodes it, wherry-exec
// decodes it.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace engine::programs {

struct ControlPreopen {
  int directory = -1;
  bool read_only = false;
  std::string guest_path;
};

struct ControlBlock {
  bool confine = false;       ///< set no_new_privs and install `filter`
  bool is_container = false;  ///< preopen "/", resolved in-root
  int artifact = -1;
  int broker = -1;
  std::uint32_t filter_flags = 0;
  std::vector<sock_filter> filter;
  std::vector<ControlPreopen> preopens;
  /// Descriptors of listening or connected sockets: the guest's 3, 4, ...
  std::vector<int> sockets;
  /// For sockets of the guest's own making: docs/formats/annotations.md, dev.wherry/sockets.
  std::string socket_rules = "none";
  std::string module_name;
};

/// Invalid, with the rule, for rules that wherry-exec would not understand.
base::Result<void> check_socket_rules(std::string_view rules);

/// A sealed memfd, close-on-exec, its offset at the beginning.
base::Result<base::UniqueFd> write_control_block(const ControlBlock& block);
/// Invalid for anything that write_control_block would not have made.
base::Result<ControlBlock> parse_control_block(std::span<const std::byte> bytes);
inline constexpr std::size_t kMaxControlBlock = std::size_t{1} << 20;

}  // namespace engine::programs
