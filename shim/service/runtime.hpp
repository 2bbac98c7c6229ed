// The OCI runtime of a container as the shim uses it. Each function but cgroup() runs in an
// operation's process (loop/operation.hpp), whose children become the shim's.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "runtime/cgroup/placement.hpp"
#include "shim/protocol/options.hpp"

namespace shim::service {

struct CreateCall {
  std::string id;
  std::string bundle;
  bool terminal = false;
};

struct ExecCall {
  std::string id;
  std::string bundle;
  std::string exec_id;
  std::string spec;  ///< JSON of the specification's process
  bool terminal = false;
};

struct CheckpointCall {
  std::string id;
  std::string path;  ///< of a directory that gets the images
  protocol::CheckpointOptions options;
};

/// Standard input, output and error of the caller are its, unless it has a terminal.
struct StartedProcess {
  pid_t pid = 0;
  base::UniqueFd terminal;  ///< the master
};

class Runtime {
 public:
  Runtime() = default;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  virtual ~Runtime() = default;

  /// On failure nothing is left.
  virtual base::Result<StartedProcess> create(const CreateCall& call) const = 0;
  virtual base::Result<void> start(const std::string& id) const = 0;
  virtual base::Result<StartedProcess> exec(const ExecCall& call) const = 0;
  virtual base::Result<void> pause(const std::string& id) const = 0;
  virtual base::Result<void> resume(const std::string& id) const = 0;
  /// `resources` is JSON of the specification's linux.resources.
  virtual base::Result<void> update(const std::string& id, const std::string& resources) const = 0;
  virtual base::Result<void> checkpoint(const CheckpointCall& call) const = 0;
  /// In place of create and start, from the images of a checkpoint. On failure nothing is left.
  virtual base::Result<StartedProcess> restore(const CreateCall& call,
                                               const std::string& images) const = 0;
  /// Ends what is left of a container. Nothing left is no error.
  virtual base::Result<void> remove(const std::string& id) const = 0;
  /// Of a created container; `init` is its process.
  virtual base::Result<runtime::cgroup::Paths> cgroup(const std::string& id, pid_t init) const = 0;
};

/// The runtime that a container's options ask for.
using ChooseRuntime =
    std::function<base::Result<std::shared_ptr<const Runtime>>(const protocol::RuncOptions&)>;

}  // namespace shim::service
