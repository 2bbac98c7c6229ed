// The common half of create and run: from a bundle to a process that is ready to execute.
#pragma once

#include "runtime/container/bundle.hpp"
#include "runtime/container/container.hpp"
#include "runtime/container/foreground.hpp"
#include "runtime/process/launch.hpp"
#include "runtime/state/store.hpp"

namespace runtime::container {

struct Made {
  state::Entry entry;
  state::Record record;  ///< saved with phase Created
  oci::Spec spec;
  process::Child child;   ///< not yet told to execute or to go to exec.fifo
  base::UniqueFd master;  ///< of its terminal, when no socket takes it
};

/// `detached`: the container will live without this process. `with_fifo`: it waits at exec.fifo.
/// On failure nothing is left.
base::Result<Made> make_container(const Host& host, const CreateOptions& options, bool detached,
                                  bool with_fifo);

/// After the program runs: phase Started, exec.fifo removed, poststart hooks. A hook that fails
/// kills the container.
base::Result<void> finish_start(const Host& host, const state::Entry& entry, state::Record& record,
                                const oci::Spec& spec);

/// Ends everything that the record names and removes its directory. `spec` may be nullptr: then no
/// poststop hooks run.
base::Result<void> discard(const Host& host, state::Entry& entry, const state::Record& record,
                           const oci::Spec* spec);

struct Attended {
  std::string id;
  oci::Spec spec;
  pid_t pid = 0;
  base::UniqueFd master;  ///< of its terminal, if it is ours to carry
  bool keep = false;
};
/// Waits in the foreground for a running container whose entry nobody holds, and deletes it then
/// unless it is to be kept. Returns its exit status.
base::Result<int> attend(const Host& host, Attended container, const SignalForwarding& forwarding);

}  // namespace runtime::container
