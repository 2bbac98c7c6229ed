// Work that may block or that makes processes, in a forked process, so that the loop goes on. The
// shim has one thread, which is what makes fork without exec legal.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "shim/loop/loop.hpp"

namespace shim::loop {

/// What an operation brings back. The text has 16 KiB at most.
struct Outcome {
  std::string text;
  base::UniqueFd descriptor;  ///< may be empty
};

class Operations {
 public:
  /// Runs in the forked process: signals are not blocked there, and it dies with the shim. Its
  /// children that outlive it become the shim's (PR_SET_CHILD_SUBREAPER).
  using Work = std::function<base::Result<Outcome>()>;
  using Done = std::function<void(base::Result<Outcome>)>;

  explicit Operations(Loop& loop) : loop_(loop) {}
  Operations(const Operations&) = delete;
  Operations& operator=(const Operations&) = delete;

  /// `done` is called once, from the loop or from collect(); at once when there is no process to be
  /// had. Internal when the process died.
  void begin(const Work& work, Done done);
  /// Calls `done` of all that have an outcome now. To be called before the exits of processes are
  /// looked at: an operation tells of a process before that can become the shim's child.
  void collect();
  std::size_t size() const { return running_.size(); }

 private:
  struct Running {
    base::UniqueFd socket;
    Done done;
  };
  void receive(int socket);

  Loop& loop_;
  std::map<int, Running> running_;  ///< by socket
};

}  // namespace shim::loop
