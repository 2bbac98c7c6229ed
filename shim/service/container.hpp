// What the shim knows of a container and its processes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/cgroup/placement.hpp"
#include "shim/events/out_of_memory.hpp"
#include "shim/io/streams.hpp"
#include "shim/io/terminal_copy.hpp"
#include "shim/protocol/types.hpp"
#include "shim/service/runtime.hpp"
#include "shim/ttrpc/server.hpp"

namespace shim::service {

struct Process {
  std::string exec_id;  ///< empty: init
  io::StreamPaths paths;
  io::Streams streams;
  base::Result<void> opened;  ///< what came of opening them
  std::unique_ptr<io::TerminalCopy> terminal;
  std::string spec;  ///< of an exec, until it is started
  pid_t pid = 0;
  protocol::TaskStatus status = protocol::TaskStatus::Created;
  /// Its start is on the way: an exit that comes meanwhile is told after it.
  bool is_starting = false;
  std::optional<std::uint32_t> early_exit;
  std::uint32_t exit_status = 0;
  std::optional<protocol::Timestamp> exited_at;
  std::vector<ttrpc::StreamKey> waiters;

  bool is_live() const { return is_starting || status == protocol::TaskStatus::Running; }
};

/// An operation on a container.
struct Change {
  std::function<base::Result<void>()> step;
  std::function<void(base::Result<void>)> done;
};

struct Container {
  std::string id;
  std::string bundle;
  std::shared_ptr<const Runtime> runtime;
  io::Owner owner;
  bool is_created = false;  ///< Create has succeeded
  std::string checkpoint;   ///< images that Start restores it from; empty: none
  /// Its processes die with init, by the kernel's hand.
  bool has_private_pids = false;
  bool is_paused = false;
  runtime::cgroup::Paths cgroup;
  std::optional<events::OutOfMemoryWatch> out_of_memory;
  Process init;
  std::map<std::string, Process> execs;
  /// Init's, while processes of its execs still live.
  std::optional<std::uint32_t> held_exit;
  /// One at a time: the first is on the way, the others wait.
  std::deque<Change> changes;

  /// Null when there is none of that name.
  Process* find(const std::string& exec_id) {
    if (exec_id.empty()) return &init;
    const auto found = execs.find(exec_id);
    return found == execs.end() ? nullptr : &found->second;
  }
  bool has_live_execs() const {
    for (const auto& [name, process] : execs) {
      if (process.is_live()) return true;
    }
    return false;
  }
};

}  // namespace shim::service
