// The container's terminal: pty(7), ioctl_tty(2).
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "oci/process.hpp"
#include "runtime/rootfs/root.hpp"

namespace runtime::process {

/// Opens a pty of the devpts at /dev/pts in `root` and makes it the caller's controlling terminal
/// and its descriptors 0 to 2; the caller leads its session. With `covers_console` it is also
/// mounted on /dev/console. The other side is opened by TIOCGPTPEER, never by its name
/// (CVE-2025-52565). Returns the master.
base::Result<base::UniqueFd> open_terminal(const rootfs::Root& root,
                                           const std::optional<oci::ConsoleSize>& size,
                                           bool covers_console);

/// Sends a descriptor to the stream socket at `path`, with `name` as the text of the message.
base::Result<void> send_descriptor(const std::string& path, int descriptor, std::string_view name);

/// What the container writes arrives as it was written: without a carriage return before each
/// line's end, as runc has it where nobody else gets the terminal.
void keep_line_ends(int master);

}  // namespace runtime::process
