// config-linux.md: paths, devices, resources, seccomp, intelRdt, memory policy, personality.
#include "oci/validate_linux.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "oci/cpu_list.hpp"
#include "oci/invalid.hpp"
#include "oci/names.hpp"

namespace oci {
namespace {

base::Result<void> check_paths(std::string_view path, const std::vector<std::string>& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!is_absolute(list[i])) return invalid(element(path, i), "must be an absolute path");
  }
  return {};
}

base::Result<void> check_devices(const std::vector<Device>& devices) {
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (!is_absolute(devices[i].path)) {
      return invalid(element("linux.devices", i) + ".path", "must be an absolute path");
    }
  }
  return {};
}

base::Result<void> check_rootfs_propagation(const std::string& propagation) {
  static constexpr std::string_view kKnown[] = {"private", "rprivate", "slave",      "rslave",
                                                "shared",  "rshared",  "unbindable", "runbindable"};
  if (propagation.empty() ||
      std::find(std::begin(kKnown), std::end(kKnown), propagation) != std::end(kKnown)) {
    return {};
  }
  return invalid("linux.rootfsPropagation",
                 "rootfsPropagation=" + propagation + " is not supported");
}

base::Result<void> check_intel_rdt(const IntelRdt& rdt) {
  const std::string& id = rdt.clos_id;
  if (id == "." || id == ".." || (id.size() > 1 && id.contains('/'))) {
    return invalid("linux.intelRdt.closID", "invalid intelRdt.ClosID " + quoted(id));
  }
  const auto is_line = [](const std::string& text) { return !text.contains('\n'); };
  if (!is_line(rdt.l3_cache_schema) || !is_line(rdt.mem_bw_schema) ||
      !std::ranges::all_of(rdt.schemata, is_line)) {
    return invalid("linux.intelRdt", "a schema must be one line");
  }
  return {};
}

base::Result<void> check_memory_policy(const MemoryPolicy& policy) {
  const auto nodes = parse_cpu_list(policy.nodes);
  if (!nodes) {
    return invalid(
        "linux.memoryPolicy.nodes",
        "invalid memory policy nodes " + quoted(policy.nodes) + ": " + nodes.error().message());
  }
  switch (policy.mode) {
    case MemoryPolicyMode::Default:
    case MemoryPolicyMode::Local:
      if (nodes->empty()) return {};
      return invalid("linux.memoryPolicy.nodes", "memory policy mode requires 0 nodes");
    case MemoryPolicyMode::Bind:
    case MemoryPolicyMode::Interleave:
    case MemoryPolicyMode::PreferredMany:
    case MemoryPolicyMode::WeightedInterleave:
      if (!nodes->empty()) return {};
      return invalid("linux.memoryPolicy.nodes",
                     "memory policy mode requires at least one node but got 0");
    case MemoryPolicyMode::Preferred:
      return {};
  }
  return {};
}

// SCMP_ACT_ERRNO and SCMP_ACT_TRACE carry a value; for others the spec wants an error.
bool takes_errno(SeccompAction action) {
  return action == SeccompAction::Errno || action == SeccompAction::Trace;
}

base::Result<void> check_errno(const std::string& at, SeccompAction action,
                               const std::optional<std::uint32_t>& errno_ret) {
  if (!errno_ret) return {};
  if (!takes_errno(action)) {
    return invalid(at, std::string(name_of(action)) + " takes no errno");
  }
  // The value shares a word with the action (SECCOMP_RET_DATA is 16 bits wide).
  if (*errno_ret > 0xFFFF) return invalid(at, "must be from 0 to 65535");
  return {};
}

base::Result<void> check_seccomp_rule(const SeccompSyscall& rule, const std::string& at) {
  if (rule.names.empty()) return invalid(at + ".names", "must not be empty");
  for (const std::string& name : rule.names) {
    if (name.empty()) return invalid(at + ".names", "empty string is not a valid syscall");
    // The runtime itself must write the listener's number to its parent after the filter is on.
    if (rule.action == SeccompAction::Notify && name == "write") {
      return invalid(at + ".action", "SCMP_ACT_NOTIFY cannot be used for the write syscall");
    }
  }
  TRY(check_errno(at + ".errnoRet", rule.action, rule.errno_ret));
  for (std::size_t i = 0; i < rule.args.size(); ++i) {
    if (rule.args[i].index > 5) {
      return invalid(element(at + ".args", i) + ".index", "a system call has six arguments");
    }
  }
  return {};
}

}  // namespace

base::Result<void> check_linux(const Linux& section, Warnings& warnings) {
  if (section.find_namespace(NamespaceType::Mount) == nullptr &&
      (!section.masked_paths.empty() || !section.readonly_paths.empty())) {
    return invalid("linux.maskedPaths",
                   "unable to restrict sys entries without a private MNT namespace");
  }
  TRY(check_paths("linux.maskedPaths", section.masked_paths));
  TRY(check_paths("linux.readonlyPaths", section.readonly_paths));
  TRY(check_devices(section.devices));
  TRY(check_rootfs_propagation(section.rootfs_propagation));
  if (section.intel_rdt) TRY(check_intel_rdt(*section.intel_rdt));
  if (section.memory_policy) TRY(check_memory_policy(*section.memory_policy));
  if (section.personality && !section.personality->flags.empty()) {
    warnings.push_back("linux.personality.flags: ignored, the spec defines none");
  }
  return {};
}

base::Result<void> check_resources(const Resources& resources) {
  for (std::size_t i = 0; i < resources.devices.size(); ++i) {
    const std::string& access = resources.devices[i].access;
    // runc lets an "a" pass beside the others, where it means nothing.
    const bool is_known = access.find_first_not_of("rwma") == std::string::npos &&
                          (access.empty() || access.find_first_of("rwm") != std::string::npos);
    if (!is_known) {
      return invalid(element("linux.resources.devices", i) + ".access",
                     "invalid access " + quoted(access));
    }
  }
  for (std::size_t i = 0; i < resources.hugepage_limits.size(); ++i) {
    // Becomes part of a file name: hugetlb.2MB.max.
    const std::string& size = resources.hugepage_limits[i].page_size;
    const std::size_t digits = size.find_first_not_of("0123456789");
    const std::string_view unit = std::string_view(size).substr(std::min(digits, size.size()));
    if (digits == 0 || (unit != "KB" && unit != "MB" && unit != "GB")) {
      return invalid(element("linux.resources.hugepageLimits", i) + ".pageSize",
                     "invalid page size " + quoted(size));
    }
  }
  for (const auto& [key, value] : resources.unified) {
    if (key.contains('/')) {
      return invalid("linux.resources.unified",
                     "unified resource " + quoted(key) + " must be a file name (no slashes)");
    }
    if (key.find('.') == std::string::npos || key.starts_with('.')) {
      return invalid("linux.resources.unified", "unified resource " + quoted(key) +
                                                    " must be in the form CONTROLLER.PARAMETER");
    }
  }
  return {};
}

base::Result<void> check_seccomp(const Seccomp& seccomp) {
  if (seccomp.default_action == SeccompAction::Notify) {
    return invalid("linux.seccomp.defaultAction",
                   "SCMP_ACT_NOTIFY cannot be used as default action");
  }
  TRY(check_errno("linux.seccomp.defaultErrnoRet", seccomp.default_action,
                  seccomp.default_errno_ret));
  bool notifies = false;
  for (std::size_t i = 0; i < seccomp.syscalls.size(); ++i) {
    TRY(check_seccomp_rule(seccomp.syscalls[i], element("linux.seccomp.syscalls", i)));
    notifies = notifies || seccomp.syscalls[i].action == SeccompAction::Notify;
  }
  if (notifies && seccomp.listener_path.empty()) {
    return invalid("linux.seccomp.listenerPath", "SCMP_ACT_NOTIFY needs a listener");
  }
  if (!seccomp.listener_metadata.empty() && seccomp.listener_path.empty()) {
    return invalid("linux.seccomp.listenerMetadata", "set without a listenerPath");
  }
  return {};
}

}  // namespace oci
