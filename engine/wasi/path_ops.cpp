// The functions that change or look at a directory's entries.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/result.hpp"
#include "engine/wasi/filestat.hpp"
#include "engine/wasi/functions.hpp"
#include "engine/wasi/path_resolution.hpp"

namespace engine::wasi {
namespace {

Result<DescriptorRef> get_writable(const Call& call, Fd fd, Rights needed) {
  DescriptorRef directory = TRY(call.descriptors().get_directory(fd, needed));
  if (directory->read_only) return fail(Errno::RoFs);
  return directory;
}

Result<Place> place_of(const Call& call, const Descriptor& directory, Address path, Size size) {
  return find_place(directory, TRY(call.path(path, size)));
}

Result<base::UniqueFd> look_at(const Call& call, const Descriptor& directory, std::uint32_t lookup,
                               Address path, Size size) {
  const bool follow = (lookup & kLookupSymlinkFollow) != 0;
  return open_path(directory, TRY(call.path(path, size)), O_PATH | (follow ? 0 : O_NOFOLLOW));
}

// A name in the directory itself needs no resolution, unless a link is in its place.
bool is_one_component(std::string_view path) {
  return !path.empty() && path != ".." && path.find('/') == std::string_view::npos;
}

Result<struct stat> stat_at(const Call& call, Fd fd, std::uint32_t lookup, Address path,
                            Size size) {
  const DescriptorRef directory =
      TRY(call.descriptors().get_directory(fd, rights::kPathFilestatGet));
  const std::string name = TRY(call.path(path, size));
  const bool follow = (lookup & kLookupSymlinkFollow) != 0;
  if (is_one_component(name)) {
    struct stat status{};
    constexpr int kFlags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
    if (::fstatat(directory->fd.get(), name.c_str(), &status, kFlags) != 0) return fail_from_host();
    if (!follow || !S_ISLNK(status.st_mode)) return status;
  }
  const base::UniqueFd found = TRY(open_path(*directory, name, O_PATH | (follow ? 0 : O_NOFOLLOW)));
  return stat_of(found.get());
}

Result<void> succeeded(int result) {
  if (result != 0) return fail_from_host();
  return {};
}

// By counting: does `target`, in a link at `link`, name something above the directory that `link`
// is given with? Links on the way may lead elsewhere, so this protects nobody that resolves paths
// well; it keeps a guest from planting links for those that do not.
bool climbs_out(std::string_view link, std::string_view target) {
  int depth = 0;
  const auto walk = [&depth](std::string_view path, bool last_counts) {
    while (!path.empty()) {
      const std::size_t slash = path.find('/');
      const std::string_view part = path.substr(0, slash);
      const bool last = slash == std::string_view::npos;
      path = last ? std::string_view() : path.substr(slash + 1);
      if (part.empty() || part == "." || (last && !last_counts)) continue;
      depth += part == ".." ? -1 : 1;
      if (depth < 0) return true;
    }
    return false;
  };
  while (link.ends_with('/')) link.remove_suffix(1);
  return walk(link, false) || walk(target, true);
}

}  // namespace

Result<void> path_create_directory(Call& call, Fd fd, Address path, Size path_size) {
  const DescriptorRef directory = TRY(get_writable(call, fd, rights::kPathCreateDirectory));
  const Place place = TRY(place_of(call, *directory, path, path_size));
  return succeeded(::mkdirat(place.directory, place.name.c_str(), 0777));
}

Result<void> path_remove_directory(Call& call, Fd fd, Address path, Size path_size) {
  const DescriptorRef directory = TRY(get_writable(call, fd, rights::kPathRemoveDirectory));
  const Place place = TRY(place_of(call, *directory, path, path_size));
  return succeeded(::unlinkat(place.directory, place.name.c_str(), AT_REMOVEDIR));
}

Result<void> path_unlink_file(Call& call, Fd fd, Address path, Size path_size) {
  const DescriptorRef directory = TRY(get_writable(call, fd, rights::kPathUnlinkFile));
  const Place place = TRY(place_of(call, *directory, path, path_size));
  return succeeded(::unlinkat(place.directory, place.name.c_str(), 0));
}

Result<void> path_filestat_get(Call& call, Fd fd, std::uint32_t lookup, Address path,
                               Size path_size, Address stat) {
  return put_filestat(call, TRY(stat_at(call, fd, lookup, path, path_size)), stat);
}

Result<void> path_filestat_get_unstable(Call& call, Fd fd, std::uint32_t lookup, Address path,
                                        Size path_size, Address stat) {
  return put_filestat_unstable(call, TRY(stat_at(call, fd, lookup, path, path_size)), stat);
}

Result<void> path_filestat_set_times(Call& call, Fd fd, std::uint32_t lookup, Address path,
                                     Size path_size, std::uint64_t atim, std::uint64_t mtim,
                                     std::uint32_t flags) {
  const DescriptorRef directory = TRY(get_writable(call, fd, rights::kPathFilestatSetTimes));
  const std::array<timespec, 2> times = TRY(file_times(atim, mtim, flags));
  const base::UniqueFd found = TRY(look_at(call, *directory, lookup, path, path_size));
  return set_file_times(found.get(), times);
}

// Both sides writable: a hard link or a rename is also a way to write what was read-only.
Result<void> path_link(Call& call, Fd old_fd, std::uint32_t old_lookup, Address old_path,
                       Size old_size, Fd new_fd, Address new_path, Size new_size) {
  const DescriptorRef old_directory = TRY(get_writable(call, old_fd, rights::kPathLinkSource));
  const DescriptorRef new_directory = TRY(get_writable(call, new_fd, rights::kPathLinkTarget));
  // linkat's own following would know no sandbox.
  if ((old_lookup & kLookupSymlinkFollow) != 0) return fail(Errno::Inval);
  const Place from = TRY(place_of(call, *old_directory, old_path, old_size));
  const Place to = TRY(place_of(call, *new_directory, new_path, new_size));
  // With its slash the kernel would follow a link in this place.
  const std::string name = from.name_without_slash();
  if (from.must_be_directory()) {
    struct stat status{};
    if (::fstatat(from.directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_from_host();
    }
    return fail(S_ISDIR(status.st_mode) ? Errno::Perm : Errno::NotDir);
  }
  return succeeded(::linkat(from.directory, name.c_str(), to.directory, to.name.c_str(), 0));
}

Result<void> path_rename(Call& call, Fd fd, Address old_path, Size old_size, Fd new_fd,
                         Address new_path, Size new_size) {
  const DescriptorRef old_directory = TRY(get_writable(call, fd, rights::kPathRenameSource));
  const DescriptorRef new_directory = TRY(get_writable(call, new_fd, rights::kPathRenameTarget));
  const Place from = TRY(place_of(call, *old_directory, old_path, old_size));
  const Place to = TRY(place_of(call, *new_directory, new_path, new_size));
  return succeeded(::renameat(from.directory, from.name.c_str(), to.directory, to.name.c_str()));
}

Result<void> path_symlink(Call& call, Address target, Size target_size, Fd fd, Address path,
                          Size path_size) {
  const DescriptorRef directory = TRY(get_writable(call, fd, rights::kPathSymlink));
  const std::string to = TRY(call.path(target, target_size));
  const std::string link = TRY(call.path(path, path_size));
  if (directory->sandbox == Sandbox::Beneath && (to.starts_with('/') || climbs_out(link, to))) {
    return fail(Errno::NotCapable);
  }
  const Place place = TRY(find_place(*directory, link));
  return succeeded(::symlinkat(to.c_str(), place.directory, place.name.c_str()));
}

Result<void> path_readlink(Call& call, Fd fd, Address path, Size path_size, Address buffer,
                           Size buffer_size, Address used) {
  const DescriptorRef directory = TRY(call.descriptors().get_directory(fd, rights::kPathReadlink));
  const auto out = TRY(call.out<Size>(used));
  const std::span<std::byte> room = TRY(call.bytes(buffer, buffer_size));
  const std::string name = TRY(call.path(path, path_size));
  const base::UniqueFd link = TRY(open_path(*directory, name, O_PATH | O_NOFOLLOW));
  if (room.empty()) {
    out.set(0);
    return {};
  }
  // Safety: readlinkat writes bytes, no terminating NUL, at most room.size() of them.
  const ssize_t length =
      ::readlinkat(link.get(), "", reinterpret_cast<char*>(room.data()), room.size());
  // Of an O_PATH descriptor that is no link, and an empty path, Linux says ENOENT.
  if (length < 0) return errno == ENOENT ? fail(Errno::Inval) : fail_from_host();
  out.set(static_cast<Size>(length));
  return {};
}

}  // namespace engine::wasi
