#include "shim/service/mapped_layers.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <string_view>

#include "runtime/namespaces/id_maps.hpp"
#include "runtime/rootfs/mount_calls.hpp"

namespace shim::service {
namespace {

namespace rootfs = runtime::rootfs;

constexpr std::string_view kUids = "uidmap=";
constexpr std::string_view kGids = "gidmap=";
constexpr std::string_view kLower = "lowerdir=";
// The kernel's own limit for a namespace's mappings (user_namespaces(7)).
constexpr std::size_t kMaxMappings = 340;

/// The part of `text` before `separator`; both are taken off.
std::string_view take_part(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

bool take_number(std::string_view& text, std::uint32_t& out) {
  const std::string_view part = take_part(text, ':');
  const auto [rest, error] = std::from_chars(part.data(), part.data() + part.size(), out);
  return error == std::errc{} && rest == part.data() + part.size();
}

base::Result<std::vector<oci::IdMapping>> parse_maps(std::string_view text) {
  std::vector<oci::IdMapping> out;
  while (!text.empty()) {
    std::string_view line = take_part(text, ',');
    const std::string word(line);
    oci::IdMapping mapping;
    if (!take_number(line, mapping.container_id) || !take_number(line, mapping.host_id) ||
        !take_number(line, mapping.size) || !line.empty() || mapping.size == 0) {
      return base::fail(base::ErrorKind::Invalid, "layer mapping '" + word + "'");
    }
    if (out.size() == kMaxMappings) {
      return base::fail(base::ErrorKind::LimitExceeded, "more than 340 layer mappings");
    }
    out.push_back(mapping);
  }
  return out;
}

base::Result<void> attach_at(const base::UniqueFd& tree, const std::string& path) {
  const base::UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!place) return base::fail_errno("open", path);
  return rootfs::attach(tree.get(), place.get(), path);
}

/// Mounts each layer of `layers` ("a:b:c") on a new directory 0, 1, … of `directory`: "0:1:2".
base::Result<std::string> attach_layers(std::string_view layers, const LayerMaps& maps,
                                        const std::string& directory) {
  const base::UniqueFd user_namespace = TRY(namespace_of(maps));
  std::string names;
  for (std::size_t i = 0; !layers.empty(); ++i) {
    const std::string layer(take_part(layers, ':'));
    const std::string name = std::to_string(i);
    std::string path = directory;
    path.append("/").append(name);
    if (::mkdir(path.c_str(), 0700) != 0) return base::fail_errno("mkdir", path);
    const base::UniqueFd tree = TRY(rootfs::clone_mount(AT_FDCWD, layer, false));
    TRY(rootfs::set_idmap(tree.get(), user_namespace.get(), false, layer));
    TRY(attach_at(tree, path));
    if (i != 0) names += ':';
    names += name;
  }
  return names;
}

}  // namespace

base::Result<LayerMaps> take_layer_maps(std::vector<std::string>& parameters) {
  LayerMaps out;
  std::vector<std::string> others;
  for (std::string& parameter : parameters) {
    const std::string_view text = parameter;
    if (text.starts_with(kUids)) {
      out.uids = TRY(parse_maps(text.substr(kUids.size())));
    } else if (text.starts_with(kGids)) {
      out.gids = TRY(parse_maps(text.substr(kGids.size())));
    } else {
      others.push_back(std::move(parameter));
    }
  }
  parameters = std::move(others);
  if (out.uids.empty() == out.gids.empty()) return out;
  return base::fail(base::ErrorKind::Invalid, "layer mappings: uidmap and gidmap go together");
}

base::Result<base::UniqueFd> namespace_of(const LayerMaps& maps) {
  const base::UniqueFd procfs(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!procfs) return base::fail_errno("open", "/proc");
  return runtime::namespaces::make_mapped_namespace(procfs.get(), maps.uids, maps.gids);
}

// An overlay takes its layers by path, from mounts of this namespace: they get their places in a
// tmpfs that lies on `target` meanwhile, so that whatever fails is gone with the mounts there.
base::Result<void> mount_mapped_overlay(const std::vector<std::string>& parameters,
                                        const LayerMaps& maps, unsigned long flags,
                                        const std::string& target) {
  if (::mount("tmpfs", target.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") !=
      0) {
    return base::fail_errno("mount tmpfs", target);
  }
  std::string data;
  for (const std::string& parameter : parameters) {
    if (!data.empty()) data += ',';
    if (!parameter.starts_with(kLower)) {
      data += parameter;
      continue;
    }
    const std::string_view layers = std::string_view(parameter).substr(kLower.size());
    data.append(kLower).append(TRY(attach_layers(layers, maps, target)));
  }
  const std::string merged = target + "/merged";
  if (::mkdir(merged.c_str(), 0700) != 0) return base::fail_errno("mkdir", merged);
  if (::chdir(target.c_str()) != 0) return base::fail_errno("chdir", target);
  if (::mount("overlay", merged.c_str(), "overlay", flags, data.c_str()) != 0) {
    return base::fail_errno("mount overlay", merged);
  }
  const base::UniqueFd tree = TRY(rootfs::clone_mount(AT_FDCWD, merged, false));
  if (::chdir("/") != 0) return base::fail_errno("chdir", "/");
  if (::umount2(target.c_str(), MNT_DETACH) != 0) return base::fail_errno("umount", target);
  return attach_at(tree, target);
}

}  // namespace shim::service
