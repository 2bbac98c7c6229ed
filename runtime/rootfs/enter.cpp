#include "runtime/rootfs/enter.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/file.hpp"
#include "runtime/rootfs/covered_paths.hpp"
#include "runtime/rootfs/devices.hpp"
#include "runtime/rootfs/mount_apply.hpp"
#include "runtime/rootfs/mount_calls.hpp"

namespace runtime::rootfs {
namespace {

/// pivot_root(2) refuses a new root below a shared mount, and what is mounted there would propagate
/// to the host. Which ancestor is the mount point is found by trying: others answer EINVAL.
base::Result<void> make_parent_private(const std::string& path) {
  for (std::string at = path; !at.empty(); at.resize(at.rfind('/'))) {
    if (::mount(nullptr, at.c_str(), nullptr, MS_PRIVATE, nullptr) == 0) return {};
    if (errno != EINVAL) return base::fail_errno("mount private", at);
  }
  if (::mount(nullptr, "/", nullptr, MS_PRIVATE, nullptr) != 0) {
    return base::fail_errno("mount private", "/");
  }
  return {};
}

base::Result<void> pivot(const Root& root) {
  const base::UniqueFd old = TRY(base::open_file("/", O_PATH | O_DIRECTORY));
  if (::fchdir(root.fd()) != 0) return base::fail_errno("fchdir", "rootfs");
  // Safety: no wrapper in glibc. Both paths are the new root: the old one then lies on top of it
  // (pivot_root(2), "pivot_root(".", ".")").
  if (::syscall(SYS_pivot_root, ".", ".") != 0) return base::fail_errno("pivot_root", ".");
  if (::fchdir(old.get()) != 0) return base::fail_errno("fchdir", "old root");
  // The host must not see the old root go away.
  if (::mount(nullptr, ".", nullptr, MS_SLAVE | MS_REC, nullptr) != 0) {
    return base::fail_errno("mount rslave", "old root");
  }
  if (::umount2(".", MNT_DETACH) != 0) return base::fail_errno("umount", "old root");
  return {};
}

/// Where whole procfs and sysfs instances are mounted outside of `root`: lines of mountinfo
/// (proc(5)).
std::vector<std::string> revealing_mounts(std::string_view mountinfo, const std::string& root) {
  std::vector<std::string> out;
  while (!mountinfo.empty()) {
    const std::string_view line = mountinfo.substr(0, mountinfo.find('\n'));
    mountinfo.remove_prefix(std::min(line.size() + 1, mountinfo.size()));
    std::array<std::string_view, 5> fields;
    std::string_view rest = line;
    for (std::string_view& each : fields) {
      each = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(each.size() + 1, rest.size()));
    }
    const bool is_revealing = line.contains(" - proc ") || line.contains(" - sysfs ");
    const bool is_inside = fields[4] == root || fields[4].starts_with(root + '/');
    if (is_revealing && fields[3] == "/" && !is_inside) out.emplace_back(fields[4]);
  }
  return out;
}

/// Without pivot_root(2) the host's mounts stay in the namespace, out of reach; but as long as a
/// whole procfs is among them, the kernel lets a user namespace mount another one with nothing
/// masked.
base::Result<void> hide_host(const RootfsPlan& plan) {
  constexpr std::size_t kMaxMountinfo = std::size_t{16} << 20;
  const std::string mounts = TRY(base::read_file("/proc/self/mountinfo", kMaxMountinfo));
  for (const std::string& at : revealing_mounts(mounts, plan.root)) {
    if (::mount(nullptr, at.c_str(), nullptr, MS_SLAVE | MS_REC, nullptr) != 0) {
      return base::fail_errno("mount rslave", at);
    }
    if (::umount2(at.c_str(), MNT_DETACH) == 0) continue;
    // A mount that came with the namespace is locked to it; covered it is not whole any more.
    if (errno != EINVAL && errno != EPERM) return base::fail_errno("umount", at);
    if (::mount("tmpfs", at.c_str(), "tmpfs", 0, nullptr) != 0) {
      return base::fail_errno("mount tmpfs", at);
    }
  }
  return {};
}

base::Result<void> move_root(const RootfsPlan& plan) {
  TRY(hide_host(plan));
  if (::chdir(plan.root.c_str()) != 0) return base::fail_errno("chdir", plan.root);
  if (::mount(plan.root.c_str(), "/", nullptr, MS_MOVE, nullptr) != 0) {
    return base::fail_errno("mount move", plan.root);
  }
  if (::chroot(".") != 0) return base::fail_errno("chroot", plan.root);
  return {};
}

}  // namespace

base::Result<Root> prepare(const RootfsPlan& plan, const SourceOpener& ask) {
  const Propagation& propagation = plan.propagation;
  const unsigned long flags =
      propagation.type | (propagation.is_recursive ? static_cast<unsigned long>(MS_REC) : 0UL);
  if (::mount(nullptr, "/", nullptr, flags, nullptr) != 0) {
    return base::fail_errno("mount propagation", "/");
  }
  TRY(make_parent_private(plan.root));
  if (::mount(plan.root.c_str(), plan.root.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
    return base::fail_errno("mount bind", plan.root);
  }
  Root root(TRY(base::open_file(plan.root, O_PATH | O_DIRECTORY)));
  TRY(apply_mounts(plan, root, ask));
  TRY(make_devices(plan, root));
  if (plan.has_own_dev) TRY(make_device_links(root));
  return root;
}

base::Result<void> enter(const RootfsPlan& plan, const Root& root) {
  TRY(plan.no_pivot ? move_root(plan) : pivot(root));
  if (::chdir("/") != 0) return base::fail_errno("chdir", "/");
  return {};
}

base::Result<void> cover(const RootfsPlan& plan) {
  const Root root(TRY(base::open_file("/", O_PATH | O_DIRECTORY)));
  for (const PlannedMount& mount : plan.mounts) {
    const bool is_readonly = (mount.options.attributes.set & MOUNT_ATTR_RDONLY) != 0;
    if (mount.destination != "/dev" || mount.kind != MountKind::FileSystem || !is_readonly)
      continue;
    const base::UniqueFd dev = TRY(root.open("/dev", O_PATH | O_DIRECTORY));
    TRY(set_attributes(dev.get(), {MOUNT_ATTR_RDONLY, 0}, false, "/dev"));
  }
  if (plan.is_readonly) TRY(set_attributes(root.fd(), {MOUNT_ATTR_RDONLY, 0}, false, "/"));
  TRY(make_readonly(plan.readonly_paths, root));
  TRY(mask_paths(plan.masked_paths, root));
  // Last, so that none of the above reaches a peer.
  if (plan.root_propagation) TRY(set_propagation(root.fd(), *plan.root_propagation, "/"));
  return {};
}

}  // namespace runtime::rootfs
