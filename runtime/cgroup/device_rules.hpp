// Which devices a container may open: the rules of linux.resources.devices as the kernel wants them
// (kernel docs cgroup-v1/devices.rst; cgroup-v2.rst "Device controller"; linux/bpf.h).
#pragma once

#include <linux/bpf.h>

#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "oci/resources.hpp"

namespace runtime::cgroup {

/// What every container may use besides what its configuration allows: mknod of anything, null,
/// zero, full, random, urandom, tty, ptmx, pseudo terminals, and tun. Not the host's console.
std::vector<oci::DeviceRule> default_device_rules();

/// One write to devices.allow or devices.deny of cgroup v1.
struct DeviceWrite {
  bool allow = false;
  std::string line;

  bool operator==(const DeviceWrite&) const = default;
};

/// Pure. The kernel keeps a default and a list of exceptions from it; this folds the rules (the
/// last that matches wins, deny when none does) into that shape. Unsupported for what it cannot
/// hold: a rule that cuts a hole into a wider exception.
base::Result<std::vector<DeviceWrite>> plan_v1_devices(std::span<const oci::DeviceRule> rules);

/// Pure. A program of type BPF_PROG_TYPE_CGROUP_DEVICE that decides by the same rules, separately
/// for each of read, write and mknod.
std::vector<bpf_insn> compile_device_program(std::span<const oci::DeviceRule> rules);

/// Loads the program and attaches it to the v2 cgroup at `path`; programs that were attached there
/// before are detached after that, so that at no moment everything is allowed.
base::Result<void> attach_device_program(const std::string& path,
                                         std::span<const bpf_insn> program);

}  // namespace runtime::cgroup
