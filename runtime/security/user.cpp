#include "runtime/security/user.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/file.hpp"

namespace runtime::security {
namespace {

// By plain openat(2), which every filter knows: the container's may be in force by now, and one
// that is older than openat2(2) would refuse that.
base::Result<bool> may_set_groups(int procfs) {
  const base::UniqueFd file = TRY(base::open_at(procfs, "thread-self/setgroups", O_RDONLY));
  const std::string answer = TRY(base::read_all(file.get(), 64, "thread-self/setgroups"));
  return !answer.starts_with("deny");
}

bool is_dev_null(const struct stat& file) {
  return S_ISCHR(file.st_mode) && file.st_rdev == makedev(1, 3);
}

}  // namespace

base::Result<void> apply_user(int procfs, const oci::User& user) {
  if (TRY(may_set_groups(procfs))) {
    static_assert(sizeof(gid_t) == sizeof user.additional_gids[0]);
    if (::setgroups(user.additional_gids.size(), user.additional_gids.data()) != 0) {
      return base::fail_errno("setgroups");
    }
  }
  if (::setresgid(user.gid, user.gid, user.gid) != 0) {
    if (errno != EINVAL) return base::fail_errno("setgid", std::to_string(user.gid));
    return base::fail(
        base::ErrorKind::Invalid,
        "cannot setgid to unmapped gid " + std::to_string(user.gid) + " in user namespace");
  }
  if (::setresuid(user.uid, user.uid, user.uid) != 0) {
    if (errno != EINVAL) return base::fail_errno("setuid", std::to_string(user.uid));
    return base::fail(
        base::ErrorKind::Invalid,
        "cannot setuid to unmapped uid " + std::to_string(user.uid) + " in user namespace");
  }
  if (user.umask) ::umask(*user.umask & 0777);
  return {};
}

base::Result<void> own_stdio(uid_t uid) {
  for (int fd = 0; fd <= 2; ++fd) {
    const struct stat file = TRY(base::stat_fd(fd, "stdio"));
    if (file.st_uid == uid || is_dev_null(file)) continue;
    // The group stays: devpts gives terminals the group that its mount option names.
    if (::fchown(fd, uid, static_cast<gid_t>(-1)) == 0) continue;
    // The owner is not mapped in this user namespace, or the file system is read-only.
    if (errno != EPERM && errno != EROFS) return base::fail_errno("fchown", std::to_string(fd));
  }
  return {};
}

}  // namespace runtime::security
