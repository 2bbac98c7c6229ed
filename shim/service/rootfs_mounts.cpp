#include "shim/service/rootfs_mounts.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/rootfs/mount_calls.hpp"
#include "runtime/rootfs/mount_plan.hpp"
#include "shim/service/mapped_layers.hpp"

namespace shim::service {
namespace {

namespace rootfs = runtime::rootfs;

constexpr std::size_t kPage = 4096;
constexpr std::string_view kLower = "lowerdir=";

std::string join(const std::vector<std::string>& parts, char separator) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (true) {
    const std::size_t end = text.find(separator);
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

/// Up to its last slash.
std::string common_directory(const std::vector<std::string>& paths) {
  std::string prefix = paths.front();
  for (const std::string& path : paths) {
    std::size_t same = 0;
    while (same < prefix.size() && same < path.size() && prefix[same] == path[same]) ++same;
    prefix.resize(same);
  }
  return prefix.substr(0, prefix.rfind('/') + 1);
}

base::Result<void> mount_bind(const protocol::Mount& mount, const rootfs::MountOptions& options,
                              const LayerMaps& maps, const std::string& target) {
  const base::UniqueFd tree =
      TRY(rootfs::clone_mount(AT_FDCWD, mount.source, options.is_recursive_bind));
  if (!options.attributes.empty()) {
    TRY(rootfs::set_attributes(tree.get(), options.attributes, false, mount.source));
  }
  if (!maps.empty()) {
    const base::UniqueFd user_namespace = TRY(namespace_of(maps));
    TRY(rootfs::set_idmap(tree.get(), user_namespace.get(), options.is_recursive_bind,
                          mount.source));
  }
  const base::UniqueFd place(::open(target.c_str(), O_PATH | O_CLOEXEC));
  if (!place) return base::fail_errno("open", target);
  return rootfs::attach(tree.get(), place.get(), target);
}

base::Result<void> mount_one(const protocol::Mount& mount, const std::string& target) {
  rootfs::MountOptions options = rootfs::parse_options(mount.options);
  const LayerMaps maps = TRY(take_layer_maps(options.parameters));
  if (options.is_bind) return mount_bind(mount, options, maps, target);
  // The first attributes have the values of the old flags.
  constexpr std::uint64_t kSame =
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  static_assert(kSame == (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC));
  const std::uint64_t flags = options.attributes.set & kSame;
  if (!maps.empty()) {
    if (mount.type == "overlay") {
      return mount_mapped_overlay(options.parameters, maps, flags, target);
    }
    return base::fail(base::ErrorKind::Unsupported, "id-mapped layers of type " + mount.type);
  }
  const MountData data = TRY(mount_data(options.parameters));
  if (!data.directory.empty() && ::chdir(data.directory.c_str()) != 0) {
    return base::fail_errno("chdir", data.directory);
  }
  if (::mount(mount.source.c_str(), target.c_str(), mount.type.c_str(), flags, data.text.c_str()) !=
      0) {
    return base::fail_errno("mount", target);
  }
  return {};
}

}  // namespace

base::Result<MountData> mount_data(const std::vector<std::string>& parameters) {
  MountData out{{}, join(parameters, ',')};
  if (out.text.size() < kPage) return out;
  std::vector<std::string> shorter = parameters;
  for (std::string& parameter : shorter) {
    if (!parameter.starts_with(kLower)) continue;
    std::vector<std::string> layers = split(std::string_view(parameter).substr(kLower.size()), ':');
    out.directory = common_directory(layers);
    for (std::string& layer : layers) layer.erase(0, out.directory.size());
    parameter = std::string(kLower) + join(layers, ':');
  }
  out.text = join(shorter, ',');
  if (out.text.size() < kPage) return out;
  return base::fail(
      base::ErrorKind::LimitExceeded,
      "mount options of " + std::to_string(out.text.size()) + " bytes: the kernel takes one page");
}

base::Result<void> mount_rootfs(const std::vector<protocol::Mount>& mounts,
                                const std::string& rootfs) {
  for (const protocol::Mount& mount : mounts) {
    const std::string target = mount.target.empty() ? rootfs : rootfs + "/" + mount.target;
    base::Result<void> done = base::with_context(mount_one(mount, target), "mount rootfs");
    if (done) continue;
    static_cast<void>(unmount_rootfs(rootfs));
    return done;
  }
  return {};
}

base::Result<void> unmount_rootfs(const std::string& rootfs) {
  while (::umount2(rootfs.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
  }
  // EINVAL: it is no mount point (any more).
  if (errno == EINVAL || errno == ENOENT) return {};
  return base::fail_errno("umount", rootfs);
}

}  // namespace shim::service
