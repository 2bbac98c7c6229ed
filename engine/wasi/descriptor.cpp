#include "engine/wasi/descriptor.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/result.hpp"

namespace engine::wasi {
namespace {

Filetype socket_type(int fd) {
  int type = 0;
  socklen_t length = sizeof(type);
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_DGRAM) {
    return Filetype::SocketDgram;
  }
  return Filetype::SocketStream;
}

Rights rights_for(Filetype type, int fd) {
  switch (type) {
    case Filetype::Directory:
      return rights::kDirectory;
    case Filetype::SocketDgram:
    case Filetype::SocketStream:
      return rights::kSocket;
    case Filetype::Unknown:
      return rights::kStream;
    case Filetype::CharacterDevice:
      // Guests' isatty() is: a character device that cannot seek.
      return ::isatty(fd) == 1 ? rights::kStream : rights::kFile;
    default:
      return rights::kFile;
  }
}

}  // namespace

Filetype filetype_of(std::uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFBLK:
      return Filetype::BlockDevice;
    case S_IFCHR:
      return Filetype::CharacterDevice;
    case S_IFDIR:
      return Filetype::Directory;
    case S_IFREG:
      return Filetype::RegularFile;
    case S_IFLNK:
      return Filetype::SymbolicLink;
    case S_IFSOCK:
      return Filetype::SocketStream;
    default:
      return Filetype::Unknown;
  }
}

Result<Descriptor> describe(base::UniqueFd fd, Rights base, Rights inheriting) {
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return fail_from_host();
  Descriptor out;
  out.filetype = S_ISSOCK(status.st_mode) ? socket_type(fd.get()) : filetype_of(status.st_mode);
  out.base = base & rights_for(out.filetype, fd.get());
  out.inheriting = out.filetype == Filetype::Directory ? inheriting & rights::kAll : 0;
  out.fd = std::move(fd);
  return out;
}

Result<std::uint32_t> DescriptorTable::add(Descriptor descriptor) {
  const auto free = std::find(descriptors_.begin(), descriptors_.end(), std::nullopt);
  const auto number = static_cast<std::uint32_t>(free - descriptors_.begin());
  if (number >= kMaxDescriptors) return fail(Errno::MFile);
  if (free == descriptors_.end()) {
    descriptors_.emplace_back(std::move(descriptor));
  } else {
    *free = std::move(descriptor);
  }
  return number;
}

Result<Descriptor*> DescriptorTable::get(std::uint32_t number) {
  if (number >= descriptors_.size() || !descriptors_[number]) return fail(Errno::BadF);
  return &*descriptors_[number];
}

Result<Descriptor*> DescriptorTable::get(std::uint32_t number, Rights needed) {
  Descriptor* const descriptor = TRY(get(number));
  if ((descriptor->base & needed) != needed) return fail(Errno::NotCapable);
  return descriptor;
}

Result<Descriptor*> DescriptorTable::get_directory(std::uint32_t number, Rights needed) {
  Descriptor* const descriptor = TRY(get(number));
  if (descriptor->filetype != Filetype::Directory) return fail(Errno::NotDir);
  if ((descriptor->base & needed) != needed) return fail(Errno::NotCapable);
  return descriptor;
}

Result<void> DescriptorTable::close(std::uint32_t number) {
  static_cast<void>(TRY(get(number)));
  descriptors_[number].reset();
  return {};
}

Result<void> DescriptorTable::renumber(std::uint32_t from, std::uint32_t to) {
  static_cast<void>(TRY(get(from)));
  static_cast<void>(TRY(get(to)));
  if (from == to) return {};
  descriptors_[to] = std::move(descriptors_[from]);
  descriptors_[from].reset();
  return {};
}

}  // namespace engine::wasi
