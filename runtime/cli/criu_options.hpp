// What checkpoint and restore share: options, and how these become the library's.
#pragma once

#include "runtime/checkpoint/options.hpp"
#include "runtime/cli/command.hpp"

namespace runtime::cli {

inline constexpr Option kImagePath{"image-path", 0, OptionKind::Value, "DIR",
                                   "where criu's images are (default: ./checkpoint)"};
inline constexpr Option kWorkPath{"work-path", 0, OptionKind::Value, "DIR",
                                  "where criu writes its log (default: beside the images)"};
inline constexpr Option kTcpEstablished{
    "tcp-established", 0, OptionKind::Flag, {}, "take open TCP connections along"};
inline constexpr Option kExtUnixSk{
    "ext-unix-sk", 0, OptionKind::Flag, {}, "let UNIX sockets have their other end outside"};
inline constexpr Option kShellJob{
    "shell-job", 0, OptionKind::Flag, {}, "let it be part of a session and terminal of the host"};
inline constexpr Option kFileLocks{"file-locks", 0, OptionKind::Flag, {}, "take file locks along"};
inline constexpr Option kLazyPages{
    "lazy-pages", 0, OptionKind::Flag, {}, "move memory only when it is used (userfaultfd)"};
inline constexpr Option kManageCgroupsMode{"manage-cgroups-mode", 0, OptionKind::Value, "MODE",
                                           "what criu does with cgroups: soft, full, strict, "
                                           "ignore (default: soft)"};
inline constexpr Option kEmptyNs{"empty-ns", 0, OptionKind::List, "TYPE",
                                 "do not restore the properties of this namespace: network"};
inline constexpr Option kAutoDedup{
    "auto-dedup", 0, OptionKind::Flag, {}, "drop from older images what newer ones have"};

/// Of those above; the others of each command are that command's.
base::Result<checkpoint::Options> criu_options(const Invocation& invocation);

}  // namespace runtime::cli
