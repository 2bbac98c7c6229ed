// Descriptors over unix sockets (unix(7), SCM_RIGHTS): one with each message, as all our protocols
// and runc's console, pidfd and seccomp sockets have it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace base {

/// A stream connection to the socket at `path`. Connecting and sending wait for at most
/// `patience_seconds`; 0: for ever.
Result<UniqueFd> connect_unix(const std::string& path, int patience_seconds = 0);

/// Sends `text`, which is not empty, and with its first byte `descriptor`, unless that is negative.
/// Returns how much of the text went: all of it but on a full stream socket. Never raises SIGPIPE.
Result<std::size_t> send_with_descriptor(int socket, std::string_view text, int descriptor,
                                         std::string_view subject);

struct Received {
  std::size_t size = 0;  ///< 0: end of file
  UniqueFd descriptor;   ///< close-on-exec; empty when none came
};

/// One message, or what a stream socket has. Of several descriptors the last is kept.
Result<Received> receive_with_descriptor(int socket, std::span<char> buffer,
                                         std::string_view subject);

}  // namespace base
