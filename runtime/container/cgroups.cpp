#include "runtime/container/cgroups.hpp"

#include "runtime/container/bundle.hpp"

namespace runtime::container {

base::Result<void> ContainerCgroups::place() {
  cgroup_host_ = TRY(cgroup::detect_host());
  std::string path = spec_.linux.cgroups_path;
  if (host_.systemd_cgroup) {
    unit_ = TRY(ContainerUnit::plan(spec_, record_.id));
    record_.unit = unit_->unit();
    path = unit_->cgroup();
  }
  record_.cgroup = TRY(cgroup::place(cgroup_host_, path, record_.id));
  // Before an intent names it: what lives there is not this container's to kill.
  base::Result<void> unused = handle().check_unused();
  if (!unused) {
    record_.cgroup.clear();
    record_.unit.reset();
  }
  return unused;
}

void ContainerCgroups::show_in(rootfs::RootfsPlan& rootfs) const {
  for (const cgroup::Hierarchy& each : cgroup_host_.hierarchies) {
    const std::string key = each.version == cgroup::Version::V2 || each.controllers.empty()
                                ? ""
                                : each.controllers.front();
    const auto path = record_.cgroup.find(key);
    const bool has_own = path != record_.cgroup.end();
    if (!has_own && !host_.may_lack_cgroups) continue;
    rootfs.cgroups[each.mount_point.substr(each.mount_point.rfind('/') + 1)] =
        has_own ? path->second : each.mount_point + each.own_path;
  }
  rootfs.is_cgroup_v2 = cgroup_host_.layout == cgroup::Layout::V2;
}

base::Result<void> ContainerCgroups::show_recorded_in(rootfs::RootfsPlan& rootfs) {
  cgroup_host_ = TRY(cgroup::detect_host());
  show_in(rootfs);
  return {};
}

bool ContainerCgroups::may_lack_cgroups() const {
  return host_.may_lack_cgroups && spec_.linux.cgroups_path.empty();
}

base::Result<void> ContainerCgroups::make() {
  cgroup::Cgroup cgroup = handle();
  cgroup::ResourcePlan resources = TRY(cgroup::plan_resources(spec_.linux.resources, cgroup_host_));
  for (const std::string& each : resources.warnings) warn(host_, each);
  if (may_lack_cgroups()) {
    const auto refused = TRY(base::with_context(cgroup.create_permitted(), "create cgroup"));
    if (!refused.empty()) TRY(keep(cgroup.paths()));
  } else {
    TRY(base::with_context(cgroup.create(), "create cgroup"));
  }
  // Limits that cannot be set are an error; rules for devices are not, since who has no rights
  // here cannot make any device.
  std::vector<oci::DeviceRule> devices;
  if (host_.may_lack_cgroups) devices.swap(resources.devices);
  TRY(base::with_context(cgroup.apply(resources), "set cgroup limits"));
  if (devices.empty() || cgroup.paths().empty()) return {};
  const base::Result<void> done = cgroup.apply({{}, std::move(devices), {}});
  if (!done) warn(host_, "without device rules: " + done.error().message());
  return {};
}

base::Result<void> ContainerCgroups::keep(const cgroup::Paths& paths) {
  record_.cgroup = paths;
  return entry_.save(record_);
}

base::Result<void> ContainerCgroups::enter(pid_t pid, bool in_unified) {
  if (unit_) TRY(start_unit(pid));
  base::Result<void> done = in_unified ? handle().add_to_v1(pid) : handle().add(pid);
  if (done || !may_lack_cgroups() || done.error().sys_errno() != EACCES) {
    return base::with_context(std::move(done), "enter cgroup");
  }
  // cgroups(7), "Delegation containment": who may make a cgroup may still not move there.
  warn(host_, "without cgroups: " + done.error().message());
  TRY(handle().remove());
  return keep({});
}

base::Result<void> ContainerCgroups::start_unit(pid_t pid) {
  base::Result<void> started = unit_->start(spec_, record_.id, cgroup_host_, pid);
  if (!started && started.error().kind() == base::ErrorKind::AlreadyExists) {
    // Somebody else's: undoing must not stop it.
    record_.cgroup.clear();
    record_.unit.reset();
  }
  TRY(std::move(started));
  // The manager makes what it has controllers for; the rest, and exact limits, are ours to write.
  return make();
}

}  // namespace runtime::container
