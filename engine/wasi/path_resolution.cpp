#include "engine/wasi/path_resolution.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/open_in_root.hpp"
#include "base/result.hpp"

namespace engine::wasi {

Result<base::UniqueFd> open_path(const Descriptor& directory, std::string_view path, int flags,
                                 mode_t mode) {
  const auto open = directory.sandbox == Sandbox::InRoot ? base::open_in_root : base::open_beneath;
  base::Result<base::UniqueFd> opened =
      open(directory.fd.get(), path, static_cast<std::uint64_t>(flags), mode);
  if (opened) return std::move(*opened);
  if (opened.error().sys_errno() == EXDEV) return fail(Errno::Perm);
  return fail(errno_from_host(opened.error().sys_errno()));
}

Result<Place> find_place(const Descriptor& directory, std::string_view path) {
  if (path.empty()) return fail(Errno::NoEnt);
  const std::size_t end = path.find_last_not_of('/');
  if (end == std::string_view::npos) return fail(Errno::Inval);
  const std::size_t slash = path.rfind('/', end);
  const std::size_t begin = slash == std::string_view::npos ? 0 : slash + 1;
  Place out;
  // At most one of the slashes at the end is kept: it makes the kernel insist on a directory.
  out.name = path.substr(begin, end + 2 - begin);
  out.directory = directory.fd.get();
  if (begin > 0) {
    out.parent = TRY(open_path(directory, path.substr(0, begin), O_PATH | O_DIRECTORY));
    out.directory = out.parent.get();
  }
  return out;
}

Result<void> check_openable(int fd, bool writing) {
  struct statfs filesystem{};
  if (::fstatfs(fd, &filesystem) != 0) return fail_from_host();
  if (filesystem.f_type != PROC_SUPER_MAGIC) return {};
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail_from_host();
  if (writing || (status.st_mode & S_IROTH) == 0) return fail(Errno::NotCapable);
  return {};
}

}  // namespace engine::wasi
