// Opening, reading and writing of files with the subject in every error. Host side only: paths
// beneath a container's root go through base/open_in_root.hpp.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace base {

/// open(2) with O_CLOEXEC added.
Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode = 0);
/// openat(2) with O_CLOEXEC added. `dir` may be AT_FDCWD.
Result<UniqueFd> open_at(int dir, const std::string& path, int flags, mode_t mode = 0);

/// Everything up to the end of the file; LimitExceeded when that is more than `limit` bytes.
/// `subject` is what errors name.
Result<std::string> read_all(int fd, std::size_t limit, std::string_view subject);
Result<std::string> read_file(const std::string& path, std::size_t limit);
Result<std::vector<std::byte>> read_file_bytes(const std::string& path, std::size_t limit);

/// Writes all of `bytes`, however often the kernel takes only a part.
Result<void> write_all(int fd, std::span<const std::byte> bytes, std::string_view subject);
Result<void> write_all(int fd, std::string_view text, std::string_view subject);
/// One write(2) to an existing file, as /proc and cgroup files want it.
Result<void> write_existing(const std::string& path, std::string_view text);
/// Temporary file beside `path`, fsync if `durable`, rename: readers see the old or the new file.
Result<void> write_atomic(const std::string& path, std::string_view text, mode_t mode,
                          bool durable = false);

Result<struct stat> stat_fd(int fd, std::string_view subject);
/// mkdir -p with `mode` for each new directory.
Result<void> make_directories(const std::string& path, mode_t mode);

}  // namespace base
