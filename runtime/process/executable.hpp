// What a container's process executes in the end: a path inside the container, or a file that the
// host's side opened (wherry-exec for a wasm entry point).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "oci/process.hpp"
#include "oci/spec.hpp"
#include "runtime/process/listeners.hpp"
#include "runtime/security/seccomp.hpp"

namespace runtime::process {

struct Executable {
  /// Executed by execveat(2). Empty: process.args[0] is looked up inside the container, as execvp
  /// does it.
  base::UniqueFd file;
  /// With `file`: its argv. Otherwise unused.
  std::vector<std::string> argv;
  /// With `file`: added to the environment of process.env ("NAME=value").
  std::vector<std::string> env;
  /// With `file`: stay open over the exec, with these numbers in this order, above the preserved
  /// ones: the first is 3 + preserve_fds (LISTEN_FDS included).
  std::vector<base::UniqueFd> inherited;
  /// With `file`: opened inside the container before it gives its rights up, and added to
  /// `inherited`.
  std::vector<ListenAddress> listeners;
  /// The program itself sets no_new_privs and installs the filter.
  bool installs_seccomp = false;
};

/// What the choice depends on.
struct EntryPoint {
  const oci::Spec& spec;
  const oci::Process& process;
  int rootfs;           ///< O_PATH of the container's root directory; of its live root for exec
  bool exec;            ///< a further process of a running container
  int first_inherited;  ///< the number that inherited[0] will have
  /// The compiled filter, or nullptr.
  const security::SeccompProgram* seccomp;
};

/// Called in the parent, before any process is made.
using ChooseExecutable = std::function<base::Result<Executable>(const EntryPoint&)>;

}  // namespace runtime::process
