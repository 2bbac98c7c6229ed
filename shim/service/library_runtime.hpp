// What the shim asks of the runtime's library: each function runs in an operation's process
// (loop/operation.hpp), whose children become the shim's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/container/container.hpp"
#include "shim/io/streams.hpp"
#include "shim/loop/operation.hpp"
#include "shim/protocol/options.hpp"
#include "shim/protocol/types.hpp"

namespace shim::service {

/// <Options.Root or the runtime's default>/<containerd's namespace>: what `wherry --root` takes.
std::string state_root(const protocol::RuncOptions& options, const std::string& name_space);
/// Warnings go to standard error, which is containerd's log.
runtime::container::Host make_host(const std::string& state_root);

struct CreateCall {
  std::string state_root;
  std::string name_space;
  std::string id;
  std::string bundle;
  std::vector<protocol::Mount> rootfs;
  bool terminal = false;
  protocol::RuncOptions options;
};

struct Created {
  std::int32_t pid = 0;
  /// Its processes die with init, by the kernel's hand.
  bool has_private_pids = false;
};

/// Mounts the root, creates the container; a terminal's master is the outcome's descriptor. On
/// failure nothing is left.
base::Result<loop::Outcome> create(const CreateCall& call, const io::Streams& streams);
base::Result<Created> parse_created(const std::string& text);

struct ExecCall {
  std::string state_root;
  std::string name_space;
  std::string id;
  std::string spec;  ///< JSON of the specification's process
  bool terminal = false;
};

/// The outcome's text is the pid.
base::Result<loop::Outcome> exec(const ExecCall& call, const io::Streams& streams);

/// Ends what is left of a container, and unmounts its root. Nothing left is no error.
base::Result<void> remove(const std::string& state_root, const std::string& id,
                          const std::string& bundle);

/// What `delete` has to know when the shim is dead, in a file of the bundle: the container's state
/// and, in the bundle of `start`, the shim's socket (empty where there is none).
base::Result<void> remember_state_root(const std::string& bundle, const std::string& state_root);
std::string recall_state_root(const std::string& bundle, const std::string& name_space);
base::Result<void> remember_socket(const std::string& bundle, const std::string& socket);
std::string recall_socket(const std::string& bundle);

}  // namespace shim::service
