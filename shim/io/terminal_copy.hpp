// A process's terminal: what it prints goes from the master to a FIFO, what containerd's client
// types from a FIFO to the master. All non-blocking, with bounded buffers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "shim/loop/loop.hpp"

namespace shim::io {

class TerminalCopy {
 public:
  /// `in` and `out` do not block and may be empty. `done` is called once, when everything that the
  /// terminal's processes printed has been written: the last of them has closed it.
  static base::Result<std::unique_ptr<TerminalCopy>> make(loop::Loop& loop, base::UniqueFd master,
                                                          base::UniqueFd in, base::UniqueFd out,
                                                          std::function<void()> done);
  ~TerminalCopy();
  TerminalCopy(const TerminalCopy&) = delete;
  TerminalCopy& operator=(const TerminalCopy&) = delete;

  base::Result<void> resize(std::uint32_t width, std::uint32_t height) const;

 private:
  struct Key {};

 public:
  TerminalCopy(Key, loop::Loop& loop, base::UniqueFd master, base::UniqueFd in, base::UniqueFd out,
               std::function<void()> done);

 private:
  base::Result<void> watch();
  void from_master();
  void to_out();
  void from_in();
  void to_master();
  void update();
  void finish();

  loop::Loop& loop_;
  base::UniqueFd master_;
  base::UniqueFd in_;
  base::UniqueFd out_;
  std::string printed_;  ///< read from the master, not yet written
  std::string typed_;    ///< read from `in`, not yet written
  bool is_hung_up_ = false;
  std::function<void()> done_;
};

}  // namespace shim::io
