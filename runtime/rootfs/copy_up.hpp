// The option "tmpcopyup": a new tmpfs begins with what it covers.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace runtime::rootfs {

/// Copies directories, regular files and links from one directory into another, with owners, modes
/// and times; other kinds of files are left out. Follows no link. At most 64 levels deep.
base::Result<void> copy_up(int from, int to, std::string_view subject);

}  // namespace runtime::rootfs
