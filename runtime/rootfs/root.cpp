#include "runtime/rootfs/root.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.hpp"
#include "base/open_in_root.hpp"

namespace runtime::rootfs {

base::Result<base::UniqueFd> Root::open(std::string_view path, std::uint64_t flags) const {
  return base::open_in_root(directory_.get(), path, flags);
}

base::Result<base::UniqueFd> Root::make_directories(std::string_view path) const {
  base::Result<base::UniqueFd> present = open(path, O_PATH | O_DIRECTORY);
  if (present || present.error().kind() != base::ErrorKind::NotFound || path == "/") return present;
  const base::UniqueFd parent = TRY(make_parent(path));
  const std::string name = base_name(path);
  // The name may have appeared meanwhile; what counts is that it opens as a real directory.
  if (::mkdirat(parent.get(), name.c_str(), 0755) != 0 && errno != EEXIST) {
    return base::fail_errno("mkdir", path);
  }
  return base::open_at(parent.get(), name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

base::Result<base::UniqueFd> Root::make_file(std::string_view path) const {
  base::Result<base::UniqueFd> present = open(path, O_PATH);
  if (present || present.error().kind() != base::ErrorKind::NotFound) return present;
  const base::UniqueFd parent = TRY(make_parent(path));
  const std::string name = base_name(path);
  TRY(base::open_at(parent.get(), name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0644));
  return base::open_at(parent.get(), name, O_PATH | O_NOFOLLOW);
}

base::Result<base::UniqueFd> Root::make_parent(std::string_view path) const {
  const std::size_t slash = path.rfind('/');
  return make_directories(slash == 0 ? "/" : path.substr(0, slash));
}

std::string base_name(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

}  // namespace runtime::rootfs
