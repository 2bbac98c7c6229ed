// The life of a container as the command line and the shim ask for it: create, start, run, exec,
// kill, delete (runtime-spec 1.3.0 runtime.md "Operations"). Option structs mirror
// runc's flags. Callers are single-threaded, have no SIGCHLD handler, and have sealed their
// executable before (workload/sealed_self.hpp).
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "oci/process.hpp"
#include "oci/resources.hpp"
#include "runtime/checkpoint/options.hpp"
#include "runtime/process/executable.hpp"
#include "runtime/state/store.hpp"
#include "runtime/trace/trace.hpp"

namespace runtime::container {

/// What every operation needs besides its own arguments.
struct Host {
  state::Store store;
  /// Gets one line per warning; may be empty.
  std::function<void(std::string_view)> warn;
  /// Directory of compiled seccomp filters; empty: none.
  std::string seccomp_cache;
  /// Native or wasm; empty: everything is native.
  process::ChooseExecutable choose_executable;
  /// create: systemd makes the cgroups, as a unit. Every later operation knows from the record.
  bool systemd_cgroup = false;
  /// NOTIFY_SOCKET of the service manager that wants to know when a container is ready; empty:
  /// none.
  std::string notify_socket = {};
  /// Where the caller has no right to make cgroups, containers that ask for no place and no limits
  /// go without.
  bool may_lack_cgroups = false;
  /// Not owned; nullptr: nobody wants to know.
  trace::Recorder* recorder = nullptr;
};

/// A host whose seccomp cache lies beside the default root, wherever its own store is: profiles are
/// the same for all. Who is not root of the host may lack cgroups.
Host make_host(state::Store store, std::function<void(std::string_view)> warn,
               process::ChooseExecutable choose_executable);

/// Gets the master of a terminal in the calling process, in place of a console socket.
using TakeTerminal = std::function<base::Result<void>(base::UniqueFd master)>;

struct CreateOptions {
  std::string id;
  std::string bundle;          ///< absolute
  std::string pid_file;        ///< empty: none
  std::string console_socket;  ///< AF_UNIX stream socket that takes the terminal's master
  TakeTerminal take_terminal;
  std::string pidfd_socket;  ///< AF_UNIX stream socket that takes init's pidfd
  bool no_pivot = false;
  bool no_new_keyring = false;
  unsigned preserve_fds = 0;  ///< descriptors from 3 on that the container keeps
};

/// Returns init's pid when it waits for start. On failure nothing is left behind. Standard input,
/// output and error of the caller become its, unless it has a terminal.
base::Result<pid_t> create(const Host& host, const CreateOptions& options);

/// Lets init execute its program; runs the startContainer and poststart hooks. A program that
/// cannot be executed is an error here.
base::Result<void> start(const Host& host, std::string_view id);

struct RunOptions {
  CreateOptions create;
  bool detach = false;
  bool keep = false;          ///< do not delete it after it ended
  bool no_subreaper = false;  ///< do not adopt its orphans while in the foreground
};

/// Create and start. In the foreground: forwards signals and the terminal, returns the exit status
/// (128 + n for a signal) and deletes the container. Detached: 0.
base::Result<int> run(const Host& host, const RunOptions& options);

struct ExecOptions {
  std::string id;
  /// The file of --process; otherwise the container's own process is the model for what follows.
  std::optional<oci::Process> process;
  std::vector<std::string> args;
  std::string cwd;
  std::vector<std::string> env;  ///< added to the model's
  std::string user;              ///< "uid[:gid]"
  std::vector<std::uint32_t> additional_gids;
  std::vector<std::string> capabilities;  ///< "CAP_X": added to bounding, effective, permitted
  std::string apparmor;
  std::string process_label;
  std::optional<bool> tty;
  std::optional<bool> no_new_privileges;
  std::vector<std::string> cgroups;  ///< [CONTROLLER,...:]PATH, below the container's
  bool ignore_paused = false;
  bool detach = false;
  std::string pid_file;
  std::string console_socket;
  TakeTerminal take_terminal;
  std::string pidfd_socket;
  unsigned preserve_fds = 0;
};

/// Starts a further process, as if detached, and returns its pid: it is the caller's child.
base::Result<pid_t> start_exec(const Host& host, const ExecOptions& options);

/// Runs a further process in a created or running container; its exit status, 0 when detached.
base::Result<int> exec(const Host& host, const ExecOptions& options);

/// "15", "TERM" or "SIGTERM" in any case; Invalid: unknown signal "X".
base::Result<int> parse_signal(std::string_view text);

/// To init, or with `all` to every process of the container's cgroup. WrongState "container not
/// running" when it is stopped (not with `all`).
base::Result<void> kill(const Host& host, std::string_view id, int signal, bool all);

/// Freezes the cgroup of a created or running container. WrongState "container not running".
base::Result<void> pause(const Host& host, std::string_view id);
/// WrongState "container not paused".
base::Result<void> resume(const Host& host, std::string_view id);

/// New lines for the container's class of resctrl; empty: as it is.
struct Schemas {
  std::string l3_cache;
  std::string mem_bw;
};

/// New limits; what is not mentioned stays as it is.
base::Result<void> update(const Host& host, std::string_view id, const oci::Resources& resources,
                          const Schemas& schemas = {});

/// Saves a running or paused native container by criu and, unless told otherwise, removes it.
/// Unsupported for a wasm container. A failure leaves the container as it was.
base::Result<void> checkpoint(const Host& host, std::string_view id,
                              const checkpoint::Options& options);

struct RestoreOptions {
  /// Of these count id, bundle, pid_file, console_socket and take_terminal.
  CreateOptions create;
  checkpoint::Options criu;
  bool detach = false;
  bool no_subreaper = false;
};

/// Makes a running container of what checkpoint saved; as run(), but the result has a pid too when
/// detached.
struct Restored {
  pid_t pid = 0;
  int status = 0;
};
base::Result<Restored> restore(const Host& host, const RestoreOptions& options);

/// Deletes a stopped or merely created container, with `force` a running one too (a container that
/// does not exist is then no error). Runs the poststop hooks.
base::Result<void> remove(const Host& host, std::string_view id, bool force);

}  // namespace runtime::container
