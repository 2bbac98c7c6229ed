#include "runtime/workload/entry_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "base/open_in_root.hpp"

namespace runtime::workload {
namespace {

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::vector<std::string> candidates(const oci::Process& process, const std::string& name) {
  if (name.starts_with('/')) return {name};
  if (name.contains('/')) return {process.cwd + "/" + name};
  std::string_view path = kDefaultPath;
  for (const std::string& variable : process.env) {
    if (variable.starts_with("PATH=")) path = std::string_view(variable).substr(5);
  }
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find(':', at), path.size());
    const std::string directory(path.substr(at, end - at));
    out.push_back((directory.starts_with('/') ? directory : process.cwd + "/" + directory) + "/" +
                  name);
    at = end + 1;
  }
  return out;
}

/// Opened as O_PATH and looked at before it is opened for reading: a FIFO would block, a device
/// act.
base::Result<std::optional<base::UniqueFd>> open_regular(int rootfs, const std::string& path) {
  const base::Result<base::UniqueFd> found = base::open_in_root(rootfs, path, O_PATH);
  if (!found) return std::nullopt;
  const struct stat status = TRY(base::stat_fd(found->get(), path));
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  return TRY(base::open_file("/proc/self/fd/" + std::to_string(found->get()), O_RDONLY));
}

}  // namespace

base::Result<std::optional<base::UniqueFd>> open_entry_file(int rootfs, const oci::Process& process,
                                                            const std::string& name) {
  if (name.empty()) return std::nullopt;
  for (const std::string& path : candidates(process, name)) {
    auto file = TRY(open_regular(rootfs, path));
    if (file) return file;
  }
  return std::nullopt;
}

base::Result<bool> readable_by(int file, const oci::User& user) {
  const struct stat status = TRY(base::stat_fd(file, "entry point"));
  if (user.uid == 0) return true;
  if (status.st_uid == user.uid) return (status.st_mode & S_IRUSR) != 0;
  const bool in_group =
      status.st_gid == user.gid ||
      std::ranges::find(user.additional_gids, status.st_gid) != user.additional_gids.end();
  return (status.st_mode & (in_group ? S_IRGRP : S_IROTH)) != 0;
}

}  // namespace runtime::workload
