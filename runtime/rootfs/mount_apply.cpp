#include "runtime/rootfs/mount_apply.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <array>
#include <cstdio>
#include <utility>

#include "base/file.hpp"
#include "runtime/rootfs/copy_up.hpp"
#include "runtime/rootfs/mount_calls.hpp"

namespace runtime::rootfs {
namespace {

bool takes_label(const std::string& type) {
  return type == "tmpfs" || type == "mqueue" || type == "devpts" || type == "ramfs";
}

/// /proc and /sys must be directories of the image and no links: whoever redirects them redirects
/// what the runtime writes there (CVE-2019-19921, CVE-2023-27561).
base::Result<base::UniqueFd> open_target(const Root& root, const PlannedMount& mount) {
  if (mount.type != "proc" && mount.type != "sysfs") {
    return root.make_directories(mount.destination);
  }
  const base::UniqueFd parent = TRY(root.make_parent(mount.destination));
  const std::string name = base_name(mount.destination);
  if (::mkdirat(parent.get(), name.c_str(), 0755) != 0 && errno != EEXIST) {
    return base::fail_errno("mkdir", mount.destination);
  }
  base::Result<base::UniqueFd> target =
      base::open_at(parent.get(), name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!target && target.error().sys_errno() == ENOTDIR) {
    return base::fail(base::ErrorKind::Invalid, mount.type + " filesystem at " + mount.destination +
                                                    " must be mounted on ordinary directory");
  }
  return target;
}

/// A tmpfs whose mode nobody names takes that of the directory that it covers, as with runc; one
/// whose directory is not there yet has the kernel's, which is that of /tmp.
base::Result<void> inherit_mode(const PlannedMount& planned, const Root& root,
                                std::vector<std::string>& parameters) {
  if (planned.type != "tmpfs") return {};
  for (const std::string& each : parameters) {
    if (each.starts_with("mode=")) return {};
  }
  const base::Result<base::UniqueFd> covered = root.open(planned.destination, O_PATH | O_DIRECTORY);
  if (!covered) return {};
  const struct stat status = TRY(base::stat_fd(covered->get(), planned.destination));
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "mode=%o", status.st_mode & 07777);
  parameters.emplace_back(text.data());
  return {};
}

/// Attributes that reach further than the mount itself, and its place in propagation.
base::Result<void> finish(int mount, const PlannedMount& planned) {
  TRY(set_attributes(mount, planned.options.recursive_attributes, true, planned.destination));
  for (const Propagation& propagation : planned.options.propagations) {
    TRY(set_propagation(mount, propagation, planned.destination));
  }
  return {};
}

base::Result<void> mount_file_system(const PlannedMount& planned, const Root& root,
                                     const std::string& label) {
  std::vector<std::string> parameters = planned.options.parameters;
  if (!label.empty() && takes_label(planned.type)) parameters.push_back("context=" + label);
  TRY(inherit_mode(planned, root, parameters));
  const base::UniqueFd target = TRY(open_target(root, planned));
  const base::UniqueFd mount = TRY(make_file_system(
      planned.type, planned.source.empty() ? planned.type : planned.source, parameters, 0));
  if (planned.options.copies_up) TRY(copy_up(target.get(), mount.get(), planned.destination));
  Attributes attributes = planned.options.attributes;
  // It is filled first; cover() makes it read-only.
  if (planned.destination == "/dev") attributes.set &= ~std::uint64_t{MOUNT_ATTR_RDONLY};
  TRY(set_attributes(mount.get(), attributes, false, planned.destination));
  TRY(attach(mount.get(), target.get(), planned.destination));
  return finish(mount.get(), planned);
}

/// Idmapped ones need the rights of the file system's owner, which a new user namespace lacks.
base::Result<base::UniqueFd> open_source(const PlannedMount& planned, std::size_t index,
                                         bool may_ask, const SourceOpener& ask) {
  if (planned.options.is_idmap || !planned.uid_mappings.empty()) return ask(index);
  base::Result<base::UniqueFd> mount =
      clone_mount(AT_FDCWD, planned.source, planned.options.is_recursive_bind);
  return !mount && mount.error().sys_errno() == EACCES && may_ask ? ask(index) : std::move(mount);
}

/// What a mount has now, as MOUNT_ATTR_*.
base::Result<std::uint64_t> present_attributes(int mount, std::string_view subject) {
  struct statvfs status{};
  if (::fstatvfs(mount, &status) != 0) return base::fail_errno("fstatvfs", subject);
  constexpr std::array<std::pair<unsigned long, std::uint64_t>, 6> kFlags{{
      {ST_RDONLY, MOUNT_ATTR_RDONLY},
      {ST_NOSUID, MOUNT_ATTR_NOSUID},
      {ST_NODEV, MOUNT_ATTR_NODEV},
      {ST_NOEXEC, MOUNT_ATTR_NOEXEC},
      {ST_NOATIME, MOUNT_ATTR_NOATIME},
      {ST_NODIRATIME, MOUNT_ATTR_NODIRATIME},
  }};
  std::uint64_t out = 0;
  for (const auto& [flag, attribute] : kFlags) out |= (status.f_flag & flag) != 0 ? attribute : 0;
  // Strict is what has no flag of its own.
  if ((status.f_flag & (ST_NOATIME | ST_RELATIME)) == 0) out |= MOUNT_ATTR_STRICTATIME;
  return out;
}

base::Result<void> set_bind_attributes(int mount, const PlannedMount& planned) {
  base::Result<void> done =
      set_attributes(mount, bind_attributes(planned.options), false, planned.destination);
  if (done || done.error().sys_errno() != EPERM) return done;
  const std::uint64_t present = TRY(present_attributes(mount, planned.destination));
  const std::optional<Attributes> allowed = locked_bind_attributes(planned.options, present);
  if (!allowed) {
    done.error().add_context("cannot clear locked flags");
    return done;
  }
  return set_attributes(mount, *allowed, false, planned.destination);
}

base::Result<void> bind(const PlannedMount& planned, const Root& root, base::UniqueFd mount) {
  const struct stat source = TRY(base::stat_fd(mount.get(), planned.source));
  const base::UniqueFd target = S_ISDIR(source.st_mode)
                                    ? TRY(root.make_directories(planned.destination))
                                    : TRY(root.make_file(planned.destination));
  TRY(set_bind_attributes(mount.get(), planned));
  TRY(attach(mount.get(), target.get(), planned.destination));
  return finish(mount.get(), planned);
}

base::Result<void> remount(const PlannedMount& planned, const Root& root) {
  const base::UniqueFd mount = TRY(root.open(planned.destination, O_PATH));
  TRY(set_attributes(mount.get(), planned.options.attributes, false, planned.destination));
  return finish(mount.get(), planned);
}

/// v2: the container's cgroup is the root of what it sees.
base::Result<void> mount_cgroup2(const PlannedMount& planned, const Root& root,
                                 const std::string& directory) {
  const base::UniqueFd target = TRY(root.make_directories(planned.destination));
  const base::UniqueFd mount = TRY(clone_mount(AT_FDCWD, directory, false));
  TRY(set_attributes(mount.get(), planned.options.attributes, false, planned.destination));
  TRY(attach(mount.get(), target.get(), planned.destination));
  return finish(mount.get(), planned);
}

/// v1 and hybrid: a tmpfs with one directory a hierarchy, each the container's own cgroup, and the
/// single controllers' names as links, as on a host.
base::Result<void> mount_cgroup1(const PlannedMount& planned, const Root& root,
                                 const std::map<std::string, std::string>& cgroups) {
  const base::UniqueFd target = TRY(root.make_directories(planned.destination));
  const base::UniqueFd tmpfs = TRY(make_file_system("tmpfs", "tmpfs", {"mode=755"}, 0));
  Attributes attributes = planned.options.attributes;
  const std::uint64_t is_readonly = attributes.set & MOUNT_ATTR_RDONLY;
  attributes.set &= ~std::uint64_t{MOUNT_ATTR_RDONLY};
  TRY(set_attributes(tmpfs.get(), attributes, false, planned.destination));
  TRY(attach(tmpfs.get(), target.get(), planned.destination));
  attributes.set |= is_readonly;
  for (const auto& [name, directory] : cgroups) {
    const std::string where = planned.destination + "/" + name;
    if (::mkdirat(tmpfs.get(), name.c_str(), 0755) != 0) return base::fail_errno("mkdir", where);
    const base::UniqueFd place =
        TRY(base::open_at(tmpfs.get(), name, O_PATH | O_DIRECTORY | O_NOFOLLOW));
    const base::UniqueFd mount = TRY(clone_mount(AT_FDCWD, directory, false));
    TRY(set_attributes(mount.get(), attributes, false, where));
    TRY(attach(mount.get(), place.get(), where));
    for (std::size_t at = 0; name.find(',') != std::string::npos && at < name.size();) {
      const std::size_t end = std::min(name.find(',', at), name.size());
      const std::string link = name.substr(at, end - at);
      at = end + 1;
      if (::symlinkat(name.c_str(), tmpfs.get(), link.c_str()) != 0) {
        return base::fail_errno("symlink", planned.destination + "/" + link);
      }
    }
  }
  TRY(set_attributes(tmpfs.get(), {is_readonly, 0}, false, planned.destination));
  return finish(tmpfs.get(), planned);
}

base::Result<void> mount_cgroups(const PlannedMount& planned, const RootfsPlan& plan,
                                 const Root& root) {
  if (plan.is_cgroup_v2 && plan.cgroups.size() == 1) {
    return mount_cgroup2(planned, root, plan.cgroups.begin()->second);
  }
  return mount_cgroup1(planned, root, plan.cgroups);
}

}  // namespace

base::Result<void> apply_mounts(const RootfsPlan& plan, const Root& root, const SourceOpener& ask) {
  for (std::size_t i = 0; i < plan.mounts.size(); ++i) {
    const PlannedMount& mount = plan.mounts[i];
    base::Result<void> done;
    switch (mount.kind) {
      case MountKind::FileSystem:
        done = mount_file_system(mount, root, plan.mount_label);
        break;
      case MountKind::Bind:
        if (base::Result<base::UniqueFd> source = open_source(mount, i, plan.may_ask, ask)) {
          done = bind(mount, root, *std::move(source));
        } else {
          done = std::unexpected(std::move(source).error());
        }
        break;
      case MountKind::Remount:
        done = remount(mount, root);
        break;
      case MountKind::Cgroup:
        done = mount_cgroups(mount, plan, root);
        break;
    }
    if (!done) {
      // runc's words, which callers look for.
      done.error().add_context("error mounting \"" + mount.source + "\" to rootfs at \"" +
                               mount.destination + '"');
      return done;
    }
  }
  return {};
}

}  // namespace runtime::rootfs
