#include "runtime/container/unit.hpp"

#include "base/file.hpp"
#include "runtime/cgroup/resources.hpp"

namespace runtime::container {
namespace {

constexpr std::size_t kMaxDeviceGroups = std::size_t{1} << 16;

base::Result<systemd::Properties> plan_devices(const oci::Spec& spec, const cgroup::Host& host) {
  const std::string groups = TRY(base::read_file("/proc/devices", kMaxDeviceGroups));
  const cgroup::ResourcePlan plan = TRY(cgroup::plan_resources(spec.linux.resources, host));
  return base::with_context(systemd::device_properties(plan.devices, groups),
                            "linux.resources.devices");
}

}  // namespace

base::Result<ContainerUnit> ContainerUnit::plan(const oci::Spec& spec, std::string_view id) {
  const systemd::Instance instance = systemd::instance_of_caller();
  const bool is_user = instance == systemd::Instance::User;
  systemd::UnitName name = TRY(systemd::parse_unit_name(spec.linux.cgroups_path, id, is_user));
  std::string cgroup = TRY(systemd::cgroup_of(name));
  ContainerUnit out(TRY(systemd::Manager::connect(instance)), instance, std::move(name));
  // A user's manager is itself somewhere in the tree; system.slice and its like are below the root.
  if (is_user) cgroup.insert(0, TRY(out.manager_.control_group()));
  out.cgroup_ = std::move(cgroup);
  return out;
}

base::Result<void> ContainerUnit::start(const oci::Spec& spec, std::string_view id,
                                        const cgroup::Host& host, pid_t pid) {
  systemd::Properties properties =
      systemd::unit_properties(name_, id, static_cast<std::uint32_t>(pid));
  systemd::merge(properties, systemd::resource_properties(spec.linux.resources, host));
  // A user's manager has no say in the devices of v1.
  if (instance_ == systemd::Instance::System && host.version_of("devices") == cgroup::Version::V1) {
    systemd::merge(properties, TRY(plan_devices(spec, host)));
  }
  // Last: whoever names a property wants it as it is.
  systemd::merge(properties, TRY(systemd::annotated_properties(spec.annotations)));
  return manager_.start(name_.unit, std::move(properties));
}

base::Result<void> update_unit(const systemd::Unit& unit, const oci::Resources& resources,
                               const cgroup::Host& host) {
  systemd::Properties properties = systemd::resource_properties(resources, host);
  if (properties.empty()) return {};
  systemd::Manager manager = TRY(systemd::Manager::connect(unit.instance));
  return manager.set(unit.name, std::move(properties));
}

base::Result<void> attach_to_unit(const systemd::Unit& unit, const std::string& below, pid_t pid) {
  systemd::Manager manager = TRY(systemd::Manager::connect(unit.instance));
  return manager.attach(unit.name, below, pid);
}

}  // namespace runtime::container
