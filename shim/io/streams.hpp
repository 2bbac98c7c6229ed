// Standard input, output and error of a process: paths of FIFOs, or URIs, as containerd's Create
// and Exec name them, opened for both sides. FIFOs go to the container's process itself: nothing is
// copied, unless it has a terminal.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace shim::io {

struct StreamPaths {
  std::string in;
  std::string out;
  std::string err;  ///< unused with a terminal
  bool terminal = false;
};

struct Owner {
  uid_t uid = 0;
  gid_t gid = 0;
};

/// A program that takes the output: "binary:///path?key=value".
struct Logger {
  std::string program;
  std::vector<std::string> arguments;
  base::UniqueFd out;  ///< what it reads
  base::UniqueFd err;
};

/// Open ends. Those for the process are given away when it exists; whatever could keep a reader
/// from the end of the file must not stay here when the process is dead (containerd waits for it
/// before it asks for Delete).
struct Streams {
  base::UniqueFd in;
  base::UniqueFd out;
  base::UniqueFd err;
  /// Until the process runs: so that it gets no end of file before the client has opened its end.
  /// From then on the client's end of file is the process's, CloseIO or not.
  base::UniqueFd in_writer;
  /// So that there is always a reader, and what is in the FIFO stays there, when containerd is
  /// away.
  base::UniqueFd out_reader;
  base::UniqueFd err_reader;
  std::optional<Logger> logger;

  void give_away() {
    in.reset();
    out.reset();
    err.reset();
    logger.reset();
  }
};

/// What to do about an output's FIFO that nobody reads yet: leave it closed, or open it all the
/// same.
enum class Unread : std::uint8_t { Left, Opened };

/// Never blocks. An empty path is /dev/null. `owner` gets FIFOs, so that the process can open
/// /dev/stdout again. Invalid for an unknown URI.
base::Result<Streams> open_streams(const StreamPaths& paths, Owner owner,
                                   Unread unread = Unread::Opened);
/// Those outputs that are closed still.
base::Result<void> open_outputs(Streams& streams, const StreamPaths& paths, Owner owner,
                                Unread unread);
/// Pure: none was left.
bool are_open(const Streams& streams, const StreamPaths& paths);

/// Makes in, out and err this process's 0, 1 and 2.
base::Result<void> become_standard_streams(const Streams& streams);

/// Starts the logger as containerd's documentation says (descriptors 3 and 4, and 5 to close when
/// it is ready) and waits for it, ten seconds at most. Its parent is this process.
base::Result<void> start_logger(const Logger& logger, const std::string& id,
                                const std::string& name_space);

/// Pure: program and arguments of a "binary" URI. Invalid when the path is not absolute.
base::Result<Logger> parse_logger(std::string_view uri);

}  // namespace shim::io
