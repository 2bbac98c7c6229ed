#include "runtime/rootfs/devices.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <utility>

#include "base/file.hpp"
#include "runtime/rootfs/mount_calls.hpp"

namespace runtime::rootfs {
namespace {

constexpr std::array<std::pair<const char*, const char*>, 5> kLinks = {{
    {"/proc/self/fd", "fd"},
    {"/proc/self/fd/0", "stdin"},
    {"/proc/self/fd/1", "stdout"},
    {"/proc/self/fd/2", "stderr"},
    {"/proc/kcore", "core"},
}};

base::Result<void> make_node(int directory, const std::string& name, const DeviceNode& device) {
  const dev_t number = ::makedev(device.major, device.minor);
  if (::mknodat(directory, name.c_str(), device.mode, number) != 0) {
    return base::fail_errno("mknod", device.path);
  }
  // By descriptor and without following: the name may be exchanged for a link meanwhile.
  if (::fchownat(directory, name.c_str(), device.uid, device.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return base::fail_errno("chown", device.path);
  }
  return {};
}

/// Who may not make nodes binds those of the host.
base::Result<void> bind_node(const Root& root, const DeviceNode& device) {
  const base::UniqueFd target = TRY(root.make_file(device.path));
  const base::UniqueFd mount = TRY(clone_mount(AT_FDCWD, device.path, false));
  return attach(mount.get(), target.get(), device.path);
}

base::Result<void> make_device(const RootfsPlan& plan, const Root& root, const DeviceNode& device) {
  if (plan.binds_devices && !S_ISFIFO(device.mode)) return bind_node(root, device);
  const base::UniqueFd parent = TRY(root.make_parent(device.path));
  const std::string name = base_name(device.path);
  base::Result<void> made = make_node(parent.get(), name, device);
  if (!made && made.error().kind() == base::ErrorKind::AlreadyExists) return {};
  return made;
}

}  // namespace

base::Result<void> make_devices(const RootfsPlan& plan, const Root& root) {
  const mode_t umask = ::umask(0);
  base::Result<void> done;
  for (const DeviceNode& device : plan.devices) {
    done = base::with_context(make_device(plan, root, device), "create device " + device.path);
    if (!done) break;
  }
  ::umask(umask);
  return done;
}

base::Result<void> make_device_links(const Root& root) {
  const base::UniqueFd dev = TRY(root.make_directories("/dev"));
  for (const auto& [target, name] : kLinks) {
    if (::symlinkat(target, dev.get(), name) != 0 && errno != EEXIST) {
      return base::fail_errno("symlink", std::string("/dev/") + name);
    }
  }
  if (::unlinkat(dev.get(), "ptmx", 0) != 0 && errno != ENOENT) {
    return base::fail_errno("unlink", "/dev/ptmx");
  }
  if (::symlinkat("pts/ptmx", dev.get(), "ptmx") != 0) {
    return base::fail_errno("symlink", "/dev/ptmx");
  }
  return {};
}

}  // namespace runtime::rootfs
