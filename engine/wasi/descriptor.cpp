#include "engine/wasi/descriptor.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

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

/// How much of the path is the preopen's name, when the path lies there. A relative path lies in
/// "." and, where the working directory is the root, in "/".
std::optional<std::size_t> covered_by(std::string_view path, std::string_view preopen) {
  while (preopen.size() > 1 && preopen.ends_with('/')) preopen.remove_suffix(1);
  if (!path.starts_with('/') && (preopen == "." || preopen == "/")) return 0;
  if (preopen == "/" || !path.starts_with(preopen)) {
    return preopen == "/" && path.starts_with('/') ? std::optional<std::size_t>(1) : std::nullopt;
  }
  if (path.size() > preopen.size() && path[preopen.size()] != '/') return std::nullopt;
  return preopen.size();
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

DescriptorRef undescribed(base::UniqueFd fd, Rights base, Rights inheriting) {
  auto out = std::make_shared<Descriptor>();
  out->fd = std::move(fd);
  out->undescribed = true;
  out->base = base;
  out->inheriting = inheriting & rights::kAll;
  return out;
}

// Two threads may do this at once: both store the same, and rights are only taken away.
Result<void> describe(Descriptor& descriptor) {
  if (!descriptor.undescribed) return {};
  const int fd = descriptor.fd.get();
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail_from_host();
  const Filetype type = S_ISSOCK(status.st_mode) ? socket_type(fd) : filetype_of(status.st_mode);
  if (type == Filetype::Directory) {
    struct statfs filesystem{};
    descriptor.on_procfs = ::fstatfs(fd, &filesystem) != 0 || filesystem.f_type == PROC_SUPER_MAGIC;
  } else {
    descriptor.inheriting = 0;
  }
  descriptor.filetype = type;
  descriptor.base.keep(rights_for(type, fd));
  descriptor.undescribed = false;
  return {};
}

Result<std::uint32_t> DescriptorTable::add(DescriptorRef descriptor) {
  const std::lock_guard lock(state_->mutex);
  std::vector<DescriptorRef>& all = state_->descriptors;
  std::size_t& number = state_->lowest_free;
  while (number < all.size() && all[number]) ++number;
  if (number >= kMaxDescriptors) return fail(Errno::MFile);
  if (number == all.size()) {
    all.push_back(std::move(descriptor));
  } else {
    all[number] = std::move(descriptor);
  }
  return static_cast<std::uint32_t>(number++);
}

Result<DescriptorRef> DescriptorTable::get(std::uint32_t number) {
  DescriptorRef descriptor = TRY(get_undescribed(number));
  TRY(describe(*descriptor));
  return descriptor;
}

Result<DescriptorRef> DescriptorTable::get_undescribed(std::uint32_t number) {
  const std::lock_guard lock(state_->mutex);
  const std::vector<DescriptorRef>& all = state_->descriptors;
  if (number >= all.size() || !all[number]) return fail(Errno::BadF);
  return all[number];
}

Result<DescriptorRef> DescriptorTable::get(std::uint32_t number, Rights needed) {
  DescriptorRef descriptor = TRY(get(number));
  if ((descriptor->base & needed) != needed) return fail(Errno::NotCapable);
  return descriptor;
}

Result<DescriptorRef> DescriptorTable::get_directory(std::uint32_t number, Rights needed) {
  DescriptorRef descriptor = TRY(get(number));
  if (descriptor->filetype != Filetype::Directory) return fail(Errno::NotDir);
  if ((descriptor->base & needed) != needed) return fail(Errno::NotCapable);
  return descriptor;
}

// In both, the host's descriptor is closed after the lock is free: close(2) may take long.
Result<void> DescriptorTable::close(std::uint32_t number) {
  DescriptorRef closed;
  const std::lock_guard lock(state_->mutex);
  std::vector<DescriptorRef>& all = state_->descriptors;
  if (number >= all.size() || !all[number]) return fail(Errno::BadF);
  closed.swap(all[number]);
  state_->lowest_free = std::min<std::size_t>(state_->lowest_free, number);
  return {};
}

Result<void> DescriptorTable::renumber(std::uint32_t from, std::uint32_t to) {
  DescriptorRef closed;
  const std::lock_guard lock(state_->mutex);
  std::vector<DescriptorRef>& all = state_->descriptors;
  const auto is_open = [&](std::uint32_t number) { return number < all.size() && all[number]; };
  if (!is_open(from) || !is_open(to)) return fail(Errno::BadF);
  if (from == to) return {};
  closed.swap(all[to]);
  all[to].swap(all[from]);
  state_->lowest_free = std::min<std::size_t>(state_->lowest_free, from);
  return {};
}

Result<FoundPreopen> DescriptorTable::find_preopen(const std::string& path) {
  FoundPreopen out;
  std::size_t longest = 0;
  const std::lock_guard lock(state_->mutex);
  for (const DescriptorRef& descriptor : state_->descriptors) {
    if (!descriptor || !descriptor->preopen) continue;
    const std::optional<std::size_t> covered = covered_by(path, *descriptor->preopen);
    if (!covered || (out.directory && *covered < longest)) continue;
    longest = *covered;
    out.directory = descriptor;
  }
  if (!out.directory) return fail(Errno::NotCapable);
  const std::size_t rest = std::min(path.find_first_not_of('/', longest), path.size());
  out.rest = rest == path.size() ? std::string(".") : path.substr(rest);
  return out;
}

std::string DescriptorTable::socket_path(const DescriptorRef& socket) {
  const std::lock_guard lock(state_->mutex);
  return socket->path;
}

void DescriptorTable::set_socket_path(const DescriptorRef& socket, const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  socket->path = path;
}

}  // namespace engine::wasi
