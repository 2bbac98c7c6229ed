// What a container asks for, as properties of its unit: systemd.resource-control(5), and for the
// types org.freedesktop.systemd1(5). One table decides; nothing here talks to anybody.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "oci/resources.hpp"
#include "runtime/cgroup/host.hpp"
#include "runtime/dbus/wire.hpp"
#include "runtime/systemd/unit_name.hpp"

namespace runtime::systemd {

struct Property {
  std::string name;
  dbus::Value value;
  unsigned since = 0;  ///< first version of systemd that takes it; 0: all that we support

  bool operator==(const Property&) const = default;
};

using Properties = std::vector<Property>;

/// Pure; those of linux.resources that the manager has properties for. The rest is written to the
/// cgroup's files alone, as are these once more.
Properties resource_properties(const oci::Resources& resources, const cgroup::Host& host);

/// Pure; for cgroup v1: what keeps the list of devices as it is when the manager writes it again.
/// `groups` is the text of /proc/devices; a rule that the manager has no words for is left out, so
/// that it closes then. Unsupported as plan_v1_devices().
base::Result<Properties> device_properties(std::span<const oci::DeviceRule> rules,
                                           std::string_view groups);

/// Pure; what makes it a container's unit, for StartTransientUnit. A scope starts with `pid`.
Properties unit_properties(const UnitName& name, std::string_view id, std::uint32_t pid);

/// Pure; annotations "org.systemd.property.<Name>", whose values are GVariant texts ("uint64 5",
/// "'text'", "true", "['a', 'b']"). A name that ends in Sec takes seconds and becomes USec.
/// Invalid, naming the annotation, for a name or value that is none.
base::Result<Properties> annotated_properties(
    const std::map<std::string, std::string>& annotations);

/// Pure: "0-2,7" as the manager's bit mask, lowest processor in the lowest bit of the first byte.
base::Result<std::vector<std::uint8_t>> mask_of_list(std::string_view list);

/// Puts `more` behind `properties`, in place of those with the same names.
void merge(Properties& properties, Properties more);

/// Removes what this version of systemd does not know; true when something was removed.
bool drop_newer(Properties& properties, unsigned version);

}  // namespace runtime::systemd
