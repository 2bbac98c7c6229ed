// linux.resources as a list of writes: all conversions and all ordering are decided here, without
// touching the kernel (runtime-spec 1.3.0 config-linux.md; kernel docs cgroup-v1/*, cgroup-v2.rst).
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "oci/resources.hpp"
#include "runtime/cgroup/host.hpp"

namespace runtime::cgroup {

/// One write(2) of `value` to `file` in the cgroup directory of `controller`.
struct Setting {
  std::string controller;  ///< "" for a file that every v2 cgroup has
  Version version = Version::V1;
  std::string file;
  std::string value;
  /// The value asks for nothing that a kernel without this file would not do anyway: absence of the
  /// file is no error then.
  bool optional = false;

  bool operator==(const Setting&) const = default;
};

struct ResourcePlan {
  std::vector<Setting> settings;         ///< in the order in which they have to be written
  std::vector<oci::DeviceRule> devices;  ///< the whole allow list: last match wins, default is deny
  std::vector<std::string> warnings;     ///< asked for and ignored, one sentence each
};

/// Pure. Invalid or Unsupported for requests that this host cannot fulfil (a controller that is not
/// there, `unified` without v2), with the JSON path in the message.
base::Result<ResourcePlan> plan_resources(const oci::Resources& resources, const Host& host);

/// The rules that every container starts from: deny all, then what runtime-spec's default devices,
/// mknod, pseudo terminals and tun need.
std::vector<oci::DeviceRule> default_device_rules();

}  // namespace runtime::cgroup
