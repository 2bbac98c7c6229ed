#include "runtime/process/plan.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "base/file.hpp"

namespace runtime::process {

base::Result<base::UniqueFd> open_procfs() {
  constexpr ino_t kRootInode = 1;  // PROC_ROOT_INO
  base::UniqueFd procfs = TRY(base::open_file("/proc", O_PATH | O_DIRECTORY));
  struct statfs system{};
  if (::fstatfs(procfs.get(), &system) != 0) return base::fail_errno("fstatfs", "/proc");
  const struct stat status = TRY(base::stat_fd(procfs.get(), "/proc"));
  if (system.f_type != PROC_SUPER_MAGIC || status.st_ino != kRootInode) {
    return base::fail(base::ErrorKind::Invalid, "/proc is not a procfs");
  }
  return procfs;
}

}  // namespace runtime::process
