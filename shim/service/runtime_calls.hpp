// What operations do: a runtime's work, with containerd's snapshot and streams around it.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "shim/io/streams.hpp"
#include "shim/loop/operation.hpp"
#include "shim/protocol/types.hpp"
#include "shim/service/runtime.hpp"

namespace shim::service {

/// What a process inherits from the operation that starts it.
struct Surroundings {
  const io::Streams& streams;
  std::string name_space;  ///< for a logger
};

/// Mounts the root, creates the container. On failure nothing is left.
base::Result<loop::Outcome> create(const Runtime& runtime, const CreateCall& call,
                                   const std::vector<protocol::Mount>& rootfs,
                                   const Surroundings& surroundings);
/// The same in two steps for a container from a checkpoint: its root; and, at its start, the rest.
/// The outcome of the first names no process.
base::Result<loop::Outcome> prepare_restore(const CreateCall& call,
                                            const std::vector<protocol::Mount>& rootfs);
base::Result<loop::Outcome> restore(const Runtime& runtime, const CreateCall& call,
                                    const std::string& images, const Surroundings& surroundings);
base::Result<loop::Outcome> exec(const Runtime& runtime, const ExecCall& call,
                                 const Surroundings& surroundings);
/// The pid in the outcome of a create, restore or exec; a terminal's master is the outcome's
/// descriptor.
base::Result<pid_t> parse_started(const loop::Outcome& outcome);

/// Ends what is left of a container or sandbox, and unmounts its root and files. Nothing left is no
/// error.
base::Result<void> remove(const Runtime& runtime, const std::string& id, const std::string& bundle);

}  // namespace shim::service
