// What create and run share: their options, and how these become the library's.
#pragma once

#include "runtime/cli/command.hpp"
#include "runtime/container/container.hpp"

namespace runtime::cli {

/// For the tables of create, run and exec.
inline constexpr Option kBundle{"bundle", 'b', OptionKind::Value, "DIR",
                                "the bundle (default: the current directory)"};
inline constexpr Option kConsoleSocket{"console-socket", 0, OptionKind::Value, "SOCKET",
                                       "send the terminal's master end to this UNIX socket"};
inline constexpr Option kPidfdSocket{"pidfd-socket", 0, OptionKind::Value, "SOCKET",
                                     "send a pidfd of the process to this UNIX socket"};
inline constexpr Option kPidFile{"pid-file", 0, OptionKind::Value, "FILE",
                                 "write the pid of the process to FILE"};
inline constexpr Option kNoPivot{
    "no-pivot", 0, OptionKind::Flag, {}, "move the root mount instead of pivot_root (ramdisks)"};
inline constexpr Option kNoNewKeyring{
    "no-new-keyring", 0, OptionKind::Flag, {}, "keep the caller's session keyring"};
inline constexpr Option kPreserveFds{"preserve-fds", 0, OptionKind::Value, "N",
                                     "pass N further descriptors on, from 3"};

base::Result<container::CreateOptions> create_options(const Arguments& arguments);
base::Result<unsigned> preserve_fds(const Arguments& arguments);

/// The library's host for this run of the program. It refers to `invocation`.
container::Host make_host(const Invocation& invocation);

}  // namespace runtime::cli
