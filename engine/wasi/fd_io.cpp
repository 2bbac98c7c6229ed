// Reading, writing and positions of descriptors.
#include <fcntl.h>
#include <unistd.h>

#include <limits>

#include "base/result.hpp"
#include "engine/wasi/functions.hpp"
#include "engine/wasi/guest_iovecs.hpp"

namespace engine::wasi {
namespace {

enum class Direction { Read, Write };

// POSIX's answers, which guests' libraries hand to programs: a directory cannot be read, and a
// descriptor opened for the other direction is a bad one. Of a directory that nobody has looked at
// the kernel says so.
Result<DescriptorRef> get_for(const Call& call, Fd fd, Direction direction) {
  DescriptorRef descriptor = TRY(call.descriptors().get_undescribed(fd));
  if (descriptor->filetype == Filetype::Directory) {
    return fail(direction == Direction::Read ? Errno::IsDir : Errno::BadF);
  }
  const Rights needed = direction == Direction::Read ? rights::kFdRead : rights::kFdWrite;
  if ((descriptor->base & needed) == 0) return fail(Errno::BadF);
  return descriptor;
}

Result<off_t> host_offset(std::uint64_t offset) {
  if (offset > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) {
    return fail(Errno::Inval);
  }
  return static_cast<off_t>(offset);
}

// Linux moves at most 0x7ffff000 bytes at a time, which fits the guest's size.
Result<void> put_count(ssize_t count, const Out<Size>& out) {
  if (count < 0) return fail_from_host();
  out.set(static_cast<Size>(count));
  return {};
}

// A single buffer is by far the most frequent case, and without a list the kernel has less to do.
ssize_t read_at(int fd, GuestIovecs& buffers, off_t at) {
  const iovec& only = *buffers.data();
  if (buffers.size() == 1) return ::pread(fd, only.iov_base, only.iov_len, at);
  return ::preadv(fd, buffers.data(), buffers.size(), at);
}

ssize_t write_at(int fd, GuestIovecs& buffers, off_t at) {
  const iovec& only = *buffers.data();
  if (buffers.size() == 1) return ::pwrite(fd, only.iov_base, only.iov_len, at);
  return ::pwritev(fd, buffers.data(), buffers.size(), at);
}

ssize_t read_next(int fd, GuestIovecs& buffers) {
  const iovec& only = *buffers.data();
  if (buffers.size() == 1) return ::read(fd, only.iov_base, only.iov_len);
  return ::readv(fd, buffers.data(), buffers.size());
}

ssize_t write_next(int fd, GuestIovecs& buffers) {
  const iovec& only = *buffers.data();
  if (buffers.size() == 1) return ::write(fd, only.iov_base, only.iov_len);
  return ::writev(fd, buffers.data(), buffers.size());
}

Result<void> seek_to(const Call& call, Fd fd, std::int64_t offset, int whence, Address position) {
  // Asking for the position changes nothing: the lesser right suffices.
  const bool asks = offset == 0 && whence == SEEK_CUR;
  const DescriptorRef file = TRY(call.descriptors().get(fd));
  if (file->filetype == Filetype::Directory) return fail(Errno::BadF);
  const Rights sufficient = asks ? rights::kFdSeek | rights::kFdTell : rights::kFdSeek;
  const auto out = TRY(call.out<std::uint64_t>(position));
  if ((file->base & sufficient) == 0) {
    const bool seekable = ::lseek(file->fd.get(), 0, SEEK_CUR) >= 0;
    return fail(seekable ? Errno::NotCapable : Errno::SPipe);
  }
  const off_t at = ::lseek(file->fd.get(), offset, whence);
  if (at < 0) return fail_from_host();
  out.set(static_cast<std::uint64_t>(at));
  return {};
}

}  // namespace

Result<void> fd_read(Call& call, Fd fd, Address iovs, Size count, Address read) {
  const DescriptorRef file = TRY(get_for(call, fd, Direction::Read));
  const auto out = TRY(call.out<Size>(read));
  GuestIovecs buffers;
  TRY(buffers.read(call, iovs, count));
  return put_count(read_next(file->fd.get(), buffers), out);
}

Result<void> fd_write(Call& call, Fd fd, Address iovs, Size count, Address written) {
  const DescriptorRef file = TRY(get_for(call, fd, Direction::Write));
  const auto out = TRY(call.out<Size>(written));
  GuestIovecs buffers;
  TRY(buffers.read(call, iovs, count));
  return put_count(write_next(file->fd.get(), buffers), out);
}

Result<void> fd_pread(Call& call, Fd fd, Address iovs, Size count, std::uint64_t offset,
                      Address read) {
  const DescriptorRef file = TRY(get_for(call, fd, Direction::Read));
  const auto out = TRY(call.out<Size>(read));
  const off_t at = TRY(host_offset(offset));
  GuestIovecs buffers;
  TRY(buffers.read(call, iovs, count));
  return put_count(read_at(file->fd.get(), buffers, at), out);
}

Result<void> fd_pwrite(Call& call, Fd fd, Address iovs, Size count, std::uint64_t offset,
                       Address written) {
  const DescriptorRef file = TRY(get_for(call, fd, Direction::Write));
  const auto out = TRY(call.out<Size>(written));
  const off_t at = TRY(host_offset(offset));
  GuestIovecs buffers;
  TRY(buffers.read(call, iovs, count));
  return put_count(write_at(file->fd.get(), buffers, at), out);
}

Result<void> fd_seek(Call& call, Fd fd, std::int64_t offset, std::uint32_t whence,
                     Address position) {
  constexpr int kWhence[] = {SEEK_SET, SEEK_CUR, SEEK_END};
  if (whence >= std::size(kWhence)) return fail(Errno::Inval);
  return seek_to(call, fd, offset, kWhence[whence], position);
}

Result<void> fd_seek_unstable(Call& call, Fd fd, std::int64_t offset, std::uint32_t whence,
                              Address position) {
  constexpr int kWhence[] = {SEEK_CUR, SEEK_END, SEEK_SET};
  if (whence >= std::size(kWhence)) return fail(Errno::Inval);
  return seek_to(call, fd, offset, kWhence[whence], position);
}

Result<void> fd_tell(Call& call, Fd fd, Address position) {
  return seek_to(call, fd, 0, SEEK_CUR, position);
}

Result<void> fd_sync(Call& call, Fd fd) {
  const DescriptorRef file = TRY(call.descriptors().get(fd, rights::kFdSync));
  if (::fsync(file->fd.get()) != 0) return fail_from_host();
  return {};
}

Result<void> fd_datasync(Call& call, Fd fd) {
  const DescriptorRef file = TRY(call.descriptors().get(fd, rights::kFdDatasync));
  if (::fdatasync(file->fd.get()) != 0) return fail_from_host();
  return {};
}

Result<void> fd_close(Call& call, Fd fd) { return call.descriptors().close(fd); }

Result<void> fd_renumber(Call& call, Fd from, Fd to) {
  return call.descriptors().renumber(from, to);
}

}  // namespace engine::wasi
