#include "base/open_in_root.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <string>

namespace base {
namespace {

// Under RESOLVE_IN_ROOT and RESOLVE_BENEATH the kernel answers EAGAIN when it meets ".." while the
// tree is being renamed. The container may be the one renaming, so the number of tries is bounded.
constexpr int kMaxTries = 64;

}  // namespace

int open_resolved(int root, const char* path, std::uint64_t flags, std::uint64_t mode,
                  std::uint64_t resolve) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  // O_TMPFILE contains O_DIRECTORY's bit.
  const bool creates = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  how.mode = creates ? mode : 0;
  how.resolve = resolve | RESOLVE_NO_MAGICLINKS;
  for (int tries = 1;; ++tries) {
    // Safety: glibc 2.36 has no wrapper; the arguments are those of openat2(2).
    const long fd = ::syscall(SYS_openat2, root, path, &how, sizeof(how));
    if (fd >= 0) return static_cast<int>(fd);
    if ((errno != EINTR && errno != EAGAIN) || tries == kMaxTries) return -1;
  }
}

Result<UniqueFd> open_in_root(int root, std::string_view path, std::uint64_t flags,
                              std::uint64_t mode) {
  UniqueFd fd(open_resolved(root, std::string(path).c_str(), flags, mode, RESOLVE_IN_ROOT));
  if (!fd) return fail_errno("openat2", path);
  return fd;
}

Result<UniqueFd> open_beneath(int root, std::string_view path, std::uint64_t flags,
                              std::uint64_t mode) {
  UniqueFd fd(open_resolved(root, std::string(path).c_str(), flags, mode, RESOLVE_BENEATH));
  if (!fd) return fail_errno("openat2", path);
  return fd;
}

}  // namespace base
