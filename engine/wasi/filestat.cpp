#include "engine/wasi/filestat.hpp"

#include <fcntl.h>

#include <limits>

#include "base/result.hpp"
#include "engine/wasi/clock.hpp"

namespace engine::wasi {
namespace {

Result<timespec> file_time(std::uint64_t time, bool given, bool now) {
  if (given && now) return fail(Errno::Inval);
  if (now) return timespec{.tv_sec = 0, .tv_nsec = UTIME_NOW};
  if (!given) return timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT};
  return to_timespec(time);
}

}  // namespace

Filestat to_filestat(const struct stat& status) {
  Filestat out{};
  out.dev = status.st_dev;
  out.ino = status.st_ino;
  out.filetype = filetype_of(status.st_mode);
  out.nlink = status.st_nlink;
  out.size = static_cast<std::uint64_t>(status.st_size);
  out.atim = nanoseconds(status.st_atim);
  out.mtim = nanoseconds(status.st_mtim);
  out.ctim = nanoseconds(status.st_ctim);
  return out;
}

FilestatUnstable to_filestat_unstable(const struct stat& status) {
  const Filestat full = to_filestat(status);
  FilestatUnstable out{};
  out.dev = full.dev;
  out.ino = full.ino;
  out.filetype = full.filetype;
  out.nlink = full.nlink > std::numeric_limits<std::uint32_t>::max()
                  ? std::numeric_limits<std::uint32_t>::max()
                  : static_cast<std::uint32_t>(full.nlink);
  out.size = full.size;
  out.atim = full.atim;
  out.mtim = full.mtim;
  out.ctim = full.ctim;
  return out;
}

Result<struct stat> stat_of(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail_from_host();
  return status;
}

Result<void> put_filestat(const Call& call, const struct stat& status, Address stat) {
  const auto out = TRY(call.out<Filestat>(stat));
  out.set(to_filestat(status));
  return {};
}

Result<void> put_filestat_unstable(const Call& call, const struct stat& status, Address stat) {
  const auto out = TRY(call.out<FilestatUnstable>(stat));
  out.set(to_filestat_unstable(status));
  return {};
}

Result<std::array<timespec, 2>> file_times(std::uint64_t atim, std::uint64_t mtim,
                                           std::uint32_t flags) {
  if ((flags & ~fstflags::kAll) != 0) return fail(Errno::Inval);
  const timespec access =
      TRY(file_time(atim, (flags & fstflags::kAtim) != 0, (flags & fstflags::kAtimNow) != 0));
  const timespec modification =
      TRY(file_time(mtim, (flags & fstflags::kMtim) != 0, (flags & fstflags::kMtimNow) != 0));
  return std::array{access, modification};
}

Result<void> set_file_times(int fd, const std::array<timespec, 2>& times) {
  if (::utimensat(fd, "", times.data(), AT_EMPTY_PATH) != 0) return fail_from_host();
  return {};
}

}  // namespace engine::wasi
