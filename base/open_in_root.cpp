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

Result<UniqueFd> open_resolved(int root, std::string_view path, std::uint64_t flags,
                               std::uint64_t mode, std::uint64_t resolve) {
  const std::string c_path(path);
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? mode : 0;
  how.resolve = resolve | RESOLVE_NO_MAGICLINKS;
  for (int tries = 0; tries < kMaxTries; ++tries) {
    // Safety: glibc 2.36 has no wrapper; the arguments are those of openat2(2).
    const long fd = ::syscall(SYS_openat2, root, c_path.c_str(), &how, sizeof(how));
    if (fd >= 0) return UniqueFd(static_cast<int>(fd));
    if (errno != EINTR && errno != EAGAIN) break;
  }
  return fail_errno("openat2", path);
}

}  // namespace

Result<UniqueFd> open_in_root(int root, std::string_view path, std::uint64_t flags,
                              std::uint64_t mode) {
  return open_resolved(root, path, flags, mode, RESOLVE_IN_ROOT);
}

Result<UniqueFd> open_beneath(int root, std::string_view path, std::uint64_t flags,
                              std::uint64_t mode) {
  return open_resolved(root, path, flags, mode, RESOLVE_BENEATH);
}

}  // namespace base
