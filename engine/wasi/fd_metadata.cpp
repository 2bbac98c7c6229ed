// What a descriptor is, and the attributes of the file behind it.
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <limits>

#include "base/result.hpp"
#include "engine/wasi/fd_flags.hpp"
#include "engine/wasi/filestat.hpp"
#include "engine/wasi/functions.hpp"

namespace engine::wasi {
namespace {

// Sizes and offsets as Linux takes them; one that does not fit is no file's.
Result<off_t> host_size(std::uint64_t size) {
  if (size > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) {
    return fail(Errno::Inval);
  }
  return static_cast<off_t>(size);
}

Result<DescriptorRef> get_preopen(const Call& call, Fd fd) {
  DescriptorRef descriptor = TRY(call.descriptors().get(fd));
  if (!descriptor->preopen) return fail(Errno::BadF);
  return descriptor;
}

}  // namespace

Result<void> fd_advise(Call& call, Fd fd, std::uint64_t offset, std::uint64_t length,
                       std::uint32_t advice) {
  constexpr int kAdvice[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                             POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
  if (advice >= std::size(kAdvice)) return fail(Errno::Inval);
  const DescriptorRef file = TRY(call.descriptors().get(fd));
  if (file->filetype == Filetype::Directory) return fail(Errno::BadF);
  if ((file->base & rights::kFdAdvise) == 0) return fail(Errno::NotCapable);
  const off_t from = TRY(host_size(offset));
  const off_t count = TRY(host_size(length));
  const int error = ::posix_fadvise(file->fd.get(), from, count, kAdvice[advice]);
  if (error != 0) return fail(errno_from_host(error));
  return {};
}

Result<void> fd_allocate(Call& call, Fd fd, std::uint64_t offset, std::uint64_t length) {
  const DescriptorRef file = TRY(call.descriptors().get(fd));
  if (file->filetype == Filetype::Directory) return fail(Errno::BadF);
  if ((file->base & rights::kFdAllocate) == 0) return fail(Errno::NotCapable);
  const off_t from = TRY(host_size(offset));
  const off_t count = TRY(host_size(length));
  if (::fallocate(file->fd.get(), 0, from, count) != 0) return fail_from_host();
  return {};
}

Result<void> fd_fdstat_get(Call& call, Fd fd, Address stat) {
  const DescriptorRef descriptor = TRY(call.descriptors().get(fd));
  const auto out = TRY(call.out<Fdstat>(stat));
  Fdstat value{};
  value.filetype = descriptor->filetype;
  // Guests' libraries ask before every open relative to a directory, where flags mean nothing.
  if (descriptor->filetype != Filetype::Directory) {
    const int flags = ::fcntl(descriptor->fd.get(), F_GETFL);
    if (flags < 0) return fail_from_host();
    value.flags = guest_fd_flags(flags);
  }
  value.rights_base = descriptor->base;
  value.rights_inheriting = descriptor->inheriting;
  out.set(value);
  return {};
}

Result<void> fd_fdstat_set_flags(Call& call, Fd fd, std::uint32_t flags) {
  const DescriptorRef descriptor = TRY(call.descriptors().get(fd, rights::kFdFdstatSetFlags));
  const int wanted = TRY(host_fd_flags(flags));
  const int present = ::fcntl(descriptor->fd.get(), F_GETFL);
  if (present < 0) return fail_from_host();
  // Linux leaves the synchronising flags as they were opened and does not say so (fcntl(2)).
  if ((wanted & ~present & (O_SYNC | O_DSYNC)) != 0) return fail(Errno::NotSup);
  constexpr int kSettable = O_APPEND | O_NONBLOCK;
  const int next = (present & ~kSettable) | (wanted & kSettable);
  if (::fcntl(descriptor->fd.get(), F_SETFL, next) != 0) return fail_from_host();
  return {};
}

Result<void> fd_fdstat_set_rights(Call& call, Fd fd, Rights base, Rights inheriting) {
  const DescriptorRef descriptor = TRY(call.descriptors().get(fd));
  if ((base & ~descriptor->base) != 0 || (inheriting & ~descriptor->inheriting) != 0) {
    return fail(Errno::NotCapable);
  }
  descriptor->base = base;
  descriptor->inheriting = inheriting;
  return {};
}

Result<void> fd_filestat_get(Call& call, Fd fd, Address stat) {
  const DescriptorRef file = TRY(call.descriptors().get(fd, rights::kFdFilestatGet));
  return put_filestat(call, TRY(stat_of(file->fd.get())), stat);
}

Result<void> fd_filestat_get_unstable(Call& call, Fd fd, Address stat) {
  const DescriptorRef file = TRY(call.descriptors().get(fd, rights::kFdFilestatGet));
  return put_filestat_unstable(call, TRY(stat_of(file->fd.get())), stat);
}

Result<void> fd_filestat_set_size(Call& call, Fd fd, std::uint64_t size) {
  const DescriptorRef file = TRY(call.descriptors().get(fd));
  if (file->filetype == Filetype::Directory) return fail(Errno::BadF);
  if ((file->base & rights::kFdFilestatSetSize) == 0) return fail(Errno::NotCapable);
  if (::ftruncate(file->fd.get(), TRY(host_size(size))) != 0) return fail_from_host();
  return {};
}

Result<void> fd_filestat_set_times(Call& call, Fd fd, std::uint64_t atim, std::uint64_t mtim,
                                   std::uint32_t flags) {
  const DescriptorRef file = TRY(call.descriptors().get(fd, rights::kFdFilestatSetTimes));
  if (file->read_only) return fail(Errno::RoFs);
  return set_file_times(file->fd.get(), TRY(file_times(atim, mtim, flags)));
}

Result<void> fd_prestat_get(Call& call, Fd fd, Address prestat) {
  const auto out = TRY(call.out<Prestat>(prestat));
  // Guests look for directories from 3 on: BadF ends the search of all, any other error that of
  // some, an unknown kind is passed over by C's library and by Go's. So those that lie behind the
  // listening sockets are found.
  if (is_socket(TRY(call.descriptors().get(fd))->filetype)) {
    Prestat socket{};
    socket.tag = kPrestatSocket;
    out.set(socket);
    return {};
  }
  const DescriptorRef directory = TRY(get_preopen(call, fd));
  Prestat value{};
  value.name_length = static_cast<Size>(directory->preopen->size());
  out.set(value);
  return {};
}

Result<void> fd_prestat_dir_name(Call& call, Fd fd, Address path, Size path_size) {
  const DescriptorRef directory = TRY(get_preopen(call, fd));
  const std::string& name = *directory->preopen;
  if (path_size < name.size()) return fail(Errno::NameTooLong);
  const std::span<std::byte> room = TRY(call.bytes(path, name.size()));
  std::memcpy(room.data(), name.data(), name.size());
  return {};
}

}  // namespace engine::wasi
