#include "runtime/rootfs/copy_up.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <array>
#include <climits>
#include <memory>
#include <string>

#include "base/file.hpp"

namespace runtime::rootfs {
namespace {

constexpr int kMaxDepth = 64;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

base::Result<void> copy_directory(int from, int to, std::string_view subject, int depth);

base::Result<void> copy_contents(int from, int to, off_t size, std::string_view name) {
  while (size > 0) {
    const ssize_t done = ::sendfile(to, from, nullptr, static_cast<std::size_t>(size));
    if (done < 0) return base::fail_errno("sendfile", name);
    if (done == 0) break;
    size -= done;
  }
  return {};
}

base::Result<void> copy_metadata(int to, const struct stat& status, std::string_view name) {
  const std::array times = {status.st_atim, status.st_mtim};
  if (::fchown(to, status.st_uid, status.st_gid) != 0) return base::fail_errno("chown", name);
  if (::fchmod(to, status.st_mode & 07777) != 0) return base::fail_errno("chmod", name);
  if (::futimens(to, times.data()) != 0) return base::fail_errno("utimens", name);
  return {};
}

base::Result<void> copy_link(int from, int to, const std::string& name, const struct stat& status) {
  std::array<char, PATH_MAX> target{};
  if (::readlinkat(from, name.c_str(), target.data(), target.size() - 1) < 0) {
    return base::fail_errno("readlink", name);
  }
  if (::symlinkat(target.data(), to, name.c_str()) != 0) return base::fail_errno("symlink", name);
  if (::fchownat(to, name.c_str(), status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return base::fail_errno("chown", name);
  }
  return {};
}

base::Result<void> copy_entry(int from, int to, const std::string& name, int depth) {
  struct stat status{};
  if (::fstatat(from, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return base::fail_errno("stat", name);
  }
  if (S_ISLNK(status.st_mode)) return copy_link(from, to, name, status);
  if (S_ISDIR(status.st_mode)) {
    const base::UniqueFd source =
        TRY(base::open_at(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (::mkdirat(to, name.c_str(), 0700) != 0) return base::fail_errno("mkdir", name);
    const base::UniqueFd copy = TRY(base::open_at(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    TRY(copy_directory(source.get(), copy.get(), name, depth + 1));
    return copy_metadata(copy.get(), status, name);
  }
  if (!S_ISREG(status.st_mode)) return {};
  const base::UniqueFd source = TRY(base::open_at(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  const base::UniqueFd copy = TRY(base::open_at(to, name, O_WRONLY | O_CREAT | O_EXCL, 0600));
  TRY(copy_contents(source.get(), copy.get(), status.st_size, name));
  return copy_metadata(copy.get(), status, name);
}

base::Result<void> copy_directory(int from, int to, std::string_view subject, int depth) {
  if (depth > kMaxDepth) {
    return base::fail(base::ErrorKind::LimitExceeded,
                      "tmpcopyup " + std::string(subject) + ": more than 64 directories deep");
  }
  base::UniqueFd readable = TRY(base::open_at(from, ".", O_RDONLY | O_DIRECTORY));
  const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(readable.get()));
  if (!directory) return base::fail_errno("fdopendir", subject);
  static_cast<void>(readable.release());  // owned by `directory` now
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name(entry->d_name);
    if (name != "." && name != "..") TRY(copy_entry(from, to, name, depth));
  }
  return {};
}

}  // namespace

base::Result<void> copy_up(int from, int to, std::string_view subject) {
  TRY(copy_directory(from, to, subject, 0));
  const struct stat status = TRY(base::stat_fd(from, subject));
  const base::UniqueFd top = TRY(base::open_at(to, ".", O_RDONLY | O_DIRECTORY));
  return copy_metadata(top.get(), status, subject);
}

}  // namespace runtime::rootfs
