#include "runtime/rootfs/covered_paths.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <set>
#include <string_view>

#include "base/file.hpp"
#include "runtime/rootfs/mount_calls.hpp"

namespace runtime::rootfs {
namespace {

/// Not there, or behind something that is no directory.
bool is_absent(const base::Error& error) {
  return error.kind() == base::ErrorKind::NotFound || error.sys_errno() == ENOTDIR;
}

base::Result<base::UniqueFd> open_dev_null(const Root& root) {
  base::UniqueFd fd = TRY(root.open("/dev/null", O_PATH | O_NOFOLLOW));
  const struct stat status = TRY(base::stat_fd(fd.get(), "/dev/null"));
  if (!S_ISCHR(status.st_mode) || status.st_rdev != ::makedev(1, 3)) {
    return base::fail(base::ErrorKind::Invalid,
                      "/dev/null of the container is not the null device");
  }
  return fd;
}

class Masker {
 public:
  explicit Masker(const Root& root) : root_(root) {}

  base::Result<void> mask(const std::string& path) {
    base::Result<base::UniqueFd> target = root_.open(path, O_PATH);
    if (!target && is_absent(target.error())) return {};
    const base::UniqueFd fd = TRY(std::move(target));
    const struct stat status = TRY(base::stat_fd(fd.get(), path));
    return S_ISDIR(status.st_mode) ? cover_directory(fd.get(), path) : cover_file(fd.get(), path);
  }

 private:
  base::Result<void> cover_file(int target, const std::string& path) {
    if (!null_) null_ = TRY(open_dev_null(root_));
    const base::UniqueFd mount = TRY(clone_mount(null_.get(), "", false));
    return attach(mount.get(), target, path);
  }

  base::Result<void> cover_directory(int target, const std::string& path) {
    if (empty_) {
      const base::UniqueFd mount = TRY(clone_mount(empty_.get(), "", false));
      return attach(mount.get(), target, path);
    }
    // One block and two inodes: enough for the root directory on every kernel.
    base::UniqueFd mount =
        TRY(make_file_system("tmpfs", "tmpfs", {"nr_blocks=1", "nr_inodes=2"}, MOUNT_ATTR_RDONLY));
    TRY(attach(mount.get(), target, path));
    empty_ = std::move(mount);  // attached now, so that older kernels can clone it too
    return {};
  }

  const Root& root_;
  base::UniqueFd null_;
  base::UniqueFd empty_;
};

base::Result<void> make_one_readonly(const std::string& path, const Root& root) {
  base::Result<base::UniqueFd> target = root.open(path, O_PATH);
  if (!target && is_absent(target.error())) return {};
  const base::UniqueFd fd = TRY(std::move(target));
  const base::UniqueFd mount = TRY(clone_mount(fd.get(), "", true));
  TRY(set_attributes(mount.get(), {MOUNT_ATTR_RDONLY, 0}, false, path));
  return attach(mount.get(), fd.get(), path);
}

}  // namespace

base::Result<void> mask_paths(const std::vector<std::string>& paths, const Root& root) {
  Masker masker(root);
  std::set<std::string_view> covered;
  for (const std::string& path : paths) {
    if (!covered.insert(path).second) continue;
    TRY(base::with_context(masker.mask(path), "mask path " + path));
  }
  return {};
}

base::Result<void> make_readonly(const std::vector<std::string>& paths, const Root& root) {
  for (const std::string& path : paths) {
    TRY(base::with_context(make_one_readonly(path, root), "readonly path " + path));
  }
  return {};
}

}  // namespace runtime::rootfs
