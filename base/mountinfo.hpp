// The lines of /proc/<pid>/mountinfo (proc_pid_mountinfo(5)).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace base {

struct MountLine {
  std::string root;         ///< of the mount, within its file system
  std::string mount_point;  ///< as the reader of the file sees it
  std::string type;
  std::string super_options;  ///< of the whole file system, with commas between
};

/// Pure: one line without its end; empty for what is no such line.
std::optional<MountLine> parse_mount_line(std::string_view line);

}  // namespace base
