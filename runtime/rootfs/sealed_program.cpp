#include "runtime/rootfs/sealed_program.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/file.hpp"
#include "runtime/rootfs/mount_calls.hpp"

namespace runtime::rootfs {
namespace {

/// overlayfs wants two lower layers when there is no upper one; an empty second one is at hand
/// everywhere: the directory's own parent would do, but must not contain the first.
/// /proc/self/fdinfo cannot be a layer, /sys/kernel/... may not exist; /dev/shm or /tmp may be the
/// same file system.
base::Result<base::UniqueFd> open_by_overlay(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = path.substr(0, slash);
  const std::string name = path.substr(slash + 1);
  if (directory.find_first_of(":\\,") != std::string::npos) {
    return base::fail(base::ErrorKind::Unsupported, "overlay of " + directory);
  }
  const base::UniqueFd mount =
      TRY(make_file_system("overlay", "wherry", {"lowerdir=" + directory + ":/sys/fs/cgroup"},
                           MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
  return base::open_at(mount.get(), name, O_PATH | O_NOFOLLOW);
}

base::Result<base::UniqueFd> open_by_copy(const std::string& path) {
  const base::UniqueFd source = TRY(base::open_file(path, O_RDONLY));
  const struct stat status = TRY(base::stat_fd(source.get(), path));
  base::UniqueFd copy(::memfd_create("wherry", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!copy) return base::fail_errno("memfd_create", "wherry");
  for (off_t left = status.st_size; left > 0;) {
    const ssize_t done =
        ::sendfile(copy.get(), source.get(), nullptr, static_cast<std::size_t>(left));
    if (done <= 0) return base::fail_errno("sendfile", path);
    left -= done;
  }
  if (::fchmod(copy.get(), 0555) != 0) return base::fail_errno("fchmod", path);
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (::fcntl(copy.get(), F_ADD_SEALS, kSeals) != 0) return base::fail_errno("fcntl seal", path);
  return copy;
}

}  // namespace

base::Result<base::UniqueFd> open_sealed(const std::string& path) {
  base::Result<base::UniqueFd> overlay = open_by_overlay(path);
  if (overlay) return overlay;
  return base::with_context(open_by_copy(path), "seal " + path);
}

bool self_is_sealed() {
  const base::Result<base::UniqueFd> self = base::open_file("/proc/self/exe", O_RDONLY);
  if (!self) return false;
  struct statvfs status{};
  if (::fstatvfs(self->get(), &status) == 0 && (status.f_flag & ST_RDONLY) != 0) return true;
  const int seals = ::fcntl(self->get(), F_GET_SEALS);
  return seals >= 0 && (seals & F_SEAL_WRITE) != 0;
}

}  // namespace runtime::rootfs
