#include "engine/wasi/path_resolution.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/open_in_root.hpp"
#include "base/result.hpp"

namespace engine::wasi {

Result<base::UniqueFd> open_path(const Descriptor& directory, const std::string& path, int flags,
                                 mode_t mode, std::uint64_t resolve) {
  resolve |= directory.sandbox == Sandbox::InRoot ? RESOLVE_IN_ROOT : RESOLVE_BENEATH;
  base::UniqueFd opened(base::open_resolved(directory.fd.get(), path.c_str(),
                                            static_cast<std::uint64_t>(flags), mode, resolve));
  if (opened) return opened;
  return fail(errno == EXDEV ? Errno::Perm : errno_from_host(errno));
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
    const std::string parent(path.substr(0, begin));
    out.parent = TRY(open_path(directory, parent, O_PATH | O_DIRECTORY));
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
