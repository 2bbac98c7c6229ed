// The ends of the shim's children: containers' processes, operations, and orphans that the kernel
// gives to a subreaper.
#pragma once

#include <sys/types.h>

#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace shim::loop {

struct Exit {
  pid_t pid = 0;
  std::uint32_t status = 0;  ///< 128 + n for a signal
};

class Children {
 public:
  /// Blocks SIGCHLD and makes this process the reaper of its descendants.
  static base::Result<Children> make();

  /// Readable when a child may have ended.
  int fd() const { return signals_.get(); }
  /// Everybody who has ended since the last call, in the order of the kernel.
  std::vector<Exit> reap() const;

 private:
  explicit Children(base::UniqueFd signals) : signals_(std::move(signals)) {}
  base::UniqueFd signals_;
};

}  // namespace shim::loop
