#include "runtime/checkpoint/mount_points.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "base/file.hpp"
#include "runtime/process/channel.hpp"
#include "runtime/rootfs/mount_apply.hpp"
#include "runtime/rootfs/root.hpp"

namespace runtime::checkpoint {
namespace {

/// The mounts themselves, in a namespace of our own: so whatever is below one of them is there.
base::Result<void> mount_all(const rootfs::RootfsPlan& plan) {
  if (::unshare(CLONE_NEWNS) != 0) return base::fail_errno("unshare", "mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) != 0) {
    return base::fail_errno("mount private", "/");
  }
  const rootfs::Root root(TRY(base::open_file(plan.root, O_PATH | O_DIRECTORY)));
  rootfs::RootfsPlan own = plan;
  std::erase_if(own.mounts, [](const rootfs::PlannedMount& mount) {
    return mount.kind == rootfs::MountKind::Cgroup || mount.kind == rootfs::MountKind::Remount;
  });
  for (rootfs::PlannedMount& mount : own.mounts) {
    // Who owns what is of no interest here, nor are the attributes: criu has them in its image.
    mount.options.is_idmap = false;
    mount.uid_mappings.clear();
    mount.gid_mappings.clear();
    mount.options.attributes = {};
    mount.options.recursive_attributes = {};
    mount.options.names_attributes = false;
  }
  return rootfs::apply_mounts(own, root, nullptr);
}

base::Result<std::string> path_of(int fd) {
  std::array<char, PATH_MAX> link{};
  const std::string name = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t length = ::readlink(name.c_str(), link.data(), link.size());
  if (length < 0) return base::fail_errno("readlink", name);
  return std::string(link.data(), static_cast<std::size_t>(length));
}

base::Result<std::string> resolve(const rootfs::Root& root, const std::string& top,
                                  const std::string& path) {
  for (std::size_t end = path.size(); end != 0 && end != std::string::npos;
       end = path.rfind('/', end - 1)) {
    const base::Result<base::UniqueFd> found = root.open(path.substr(0, end), O_PATH);
    if (!found) continue;
    const std::string seen = TRY(path_of(found->get()));
    if (!seen.starts_with(top)) break;
    return seen.substr(top.size()) + path.substr(end);
  }
  return path;
}

}  // namespace

base::Result<void> make_mount_points(const rootfs::RootfsPlan& plan) {
  auto [ours, theirs] = TRY(process::Channel::make());
  const pid_t pid = ::fork();
  if (pid < 0) return base::fail_errno("fork", "mount points");
  if (pid == 0) {
    ours.close();
    const base::Result<void> done = mount_all(plan);
    const base::Result<void> told =
        done ? theirs.send(process::MessageType::Ready)
             : theirs.send(process::MessageType::Error, process::encode_error(done.error()));
    ::_exit(told ? 0 : 1);
  }
  theirs.close();
  base::Result<process::Message> answer = ours.expect(process::MessageType::Ready);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  static_cast<void>(TRY(std::move(answer)));
  return {};
}

base::Result<void> mount_root(const std::string& root, const std::string& path) {
  if (::mount(root.c_str(), path.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
    return base::fail_errno("mount bind", path);
  }
  return {};
}

base::Result<void> resolve_keys(const std::string& root, std::vector<Pair>& mounts) {
  const rootfs::Root opened(TRY(base::open_file(root, O_PATH | O_DIRECTORY)));
  const std::string top = TRY(path_of(opened.fd()));
  for (Pair& each : mounts) each.key = TRY(resolve(opened, top, each.key));
  return {};
}

base::Result<std::vector<std::string>> find_masked_files(pid_t pid,
                                                         const std::vector<std::string>& paths) {
  const rootfs::Root root(
      TRY(base::open_file("/proc/" + std::to_string(pid) + "/root", O_PATH | O_DIRECTORY)));
  std::vector<std::string> out;
  for (const std::string& path : paths) {
    const base::Result<base::UniqueFd> file = root.open(path, O_PATH);
    if (!file) continue;  // nothing was there to mask
    if (!S_ISDIR(TRY(base::stat_fd(file->get(), path)).st_mode)) out.push_back(path);
  }
  return out;
}

}  // namespace runtime::checkpoint
