// File attributes, shared by the functions that take a descriptor and those that take a path.
#pragma once

#include <sys/stat.h>

#include <array>
#include <ctime>

#include "engine/wasi/abi.hpp"
#include "engine/wasi/call.hpp"

namespace engine::wasi {

Filestat to_filestat(const struct stat& status);
FilestatUnstable to_filestat_unstable(const struct stat& status);

/// fstat(2) of a host descriptor (O_PATH will do) into guest memory.
Result<void> put_filestat(const Call& call, const struct stat& status, Address stat);
Result<void> put_filestat_unstable(const Call& call, const struct stat& status, Address stat);
Result<struct stat> stat_of(int fd);

/// The two times of utimensat(2). Inval when a time is both given and to be "now".
Result<std::array<timespec, 2>> file_times(std::uint64_t atim, std::uint64_t mtim,
                                           std::uint32_t flags);
/// Of what `fd` (O_PATH will do) stands for, a symbolic link included.
Result<void> set_file_times(int fd, const std::array<timespec, 2>& times);

}  // namespace engine::wasi
