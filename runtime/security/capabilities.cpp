#include "runtime/security/capabilities.hpp"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

namespace runtime::security {
namespace {

// linux/capability.h, by number.
constexpr std::string_view kNames[] = {
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};

constexpr CapabilityMask bit(unsigned number) { return CapabilityMask{1} << number; }

/// The mask of the known names; the others are collected.
CapabilityMask mask_of(const std::vector<std::string>& names, std::vector<std::string>& unknown) {
  CapabilityMask mask = 0;
  for (const std::string& name : names) {
    if (const auto number = capability_number(name)) {
      mask |= bit(*number);
    } else if (std::find(unknown.begin(), unknown.end(), name) == unknown.end()) {
      unknown.push_back(name);
    }
  }
  return mask;
}

std::string names_of(CapabilityMask mask) {
  std::string out;
  for (unsigned number = 0; number < std::size(kNames); ++number) {
    if ((mask & bit(number)) == 0) continue;
    if (!out.empty()) out += ' ';
    out += kNames[number];
  }
  return out;
}

/// What of `wanted` is within `possible`; the rest becomes a warning.
CapabilityMask grant(std::string_view set, CapabilityMask wanted, CapabilityMask possible,
                     std::vector<std::string>& warnings) {
  const CapabilityMask refused = wanted & ~possible;
  if (refused != 0) {
    warnings.push_back("ignoring " + std::string(set) +
                       " capabilities that cannot be granted: " + names_of(refused));
  }
  return wanted & possible;
}

// The kernel's interface has the low words of all sets before the high ones.
struct KernelSets {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct words[2]{};
};

constexpr CapabilityMask join(__u32 low, __u32 high) { return CapabilityMask{high} << 32 | low; }

}  // namespace

std::span<const std::string_view> capability_names() { return kNames; }

std::optional<unsigned> capability_number(std::string_view name) {
  const auto* const found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<unsigned>(found - std::begin(kNames));
}

base::Result<CapabilitySets> held_capabilities() {
  KernelSets kernel;
  // Safety: both structures are the kernel's, version 3 fills two words.
  if (::syscall(SYS_capget, &kernel.header, kernel.words) != 0) return base::fail_errno("capget");
  CapabilitySets held;
  held.effective = join(kernel.words[0].effective, kernel.words[1].effective);
  held.permitted = join(kernel.words[0].permitted, kernel.words[1].permitted);
  held.inheritable = join(kernel.words[0].inheritable, kernel.words[1].inheritable);
  for (unsigned number = 0; number < 64; ++number) {
    const int set = ::prctl(PR_CAPBSET_READ, number, 0, 0, 0);
    if (set < 0) break;  // above the kernel's last capability
    if (set == 1) held.bounding |= bit(number);
  }
  return held;
}

CapabilityPlan plan_capabilities(const oci::Capabilities& wanted, const CapabilitySets& held) {
  CapabilityPlan plan;
  std::vector<std::string> unknown;
  const CapabilityMask bounding = mask_of(wanted.bounding, unknown);
  const CapabilityMask permitted = mask_of(wanted.permitted, unknown);
  const CapabilityMask effective = mask_of(wanted.effective, unknown);
  const CapabilityMask inheritable = mask_of(wanted.inheritable, unknown);
  const CapabilityMask ambient = mask_of(wanted.ambient, unknown);
  if (!unknown.empty()) {
    std::string line = "ignoring unknown capabilities:";
    for (const std::string& name : unknown) line += " " + name;
    plan.warnings.push_back(std::move(line));
  }

  CapabilitySets& sets = plan.sets;
  std::vector<std::string>& warnings = plan.warnings;
  sets.bounding = grant("bounding", bounding, held.bounding, warnings);
  plan.bounding_to_drop = held.bounding & ~sets.bounding;
  if (plan.bounding_to_drop != 0 && (held.effective & bit(CAP_SETPCAP)) == 0) {
    warnings.emplace_back("the bounding set stays as it is: no CAP_SETPCAP");
    plan.bounding_to_drop = 0;
    sets.bounding = held.bounding;
  }
  // What capset(2) demands (kernel/capability.c, cap_capset), else it refuses everything.
  sets.permitted = grant("permitted", permitted, held.permitted, warnings);
  sets.effective = grant("effective", effective, sets.permitted, warnings);
  sets.inheritable = grant("inheritable", inheritable,
                           held.inheritable | (held.permitted & sets.bounding), warnings);
  sets.ambient = ambient & sets.permitted & sets.inheritable;
  for (unsigned number = 0; number < std::size(kNames); ++number) {
    if ((ambient & ~sets.ambient & bit(number)) == 0) continue;
    warnings.push_back("can't raise ambient capability " + std::string(kNames[number]) +
                       ": it is not permitted and inheritable");
  }
  return plan;
}

base::Result<void> apply_bounding_set(const CapabilityPlan& plan) {
  for (unsigned number = 0; number < 64; ++number) {
    if ((plan.bounding_to_drop & bit(number)) == 0) continue;
    if (::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0) {
      return base::fail_errno("prctl", "PR_CAPBSET_DROP");
    }
  }
  if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
    return base::fail_errno("prctl", "PR_SET_KEEPCAPS");
  return {};
}

base::Result<void> apply_capabilities(const CapabilityPlan& plan) {
  if (::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0)
    return base::fail_errno("prctl", "PR_SET_KEEPCAPS");
  KernelSets kernel;
  for (unsigned half = 0; half < 2; ++half) {
    const auto word = [half](CapabilityMask mask) { return static_cast<__u32>(mask >> 32 * half); };
    kernel.words[half] = {word(plan.sets.effective), word(plan.sets.permitted),
                          word(plan.sets.inheritable)};
  }
  // Safety: as in held_capabilities().
  if (::syscall(SYS_capset, &kernel.header, kernel.words) != 0) return base::fail_errno("capset");

  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    return base::fail_errno("prctl", "PR_CAP_AMBIENT_CLEAR_ALL");
  }
  for (unsigned number = 0; number < 64; ++number) {
    if ((plan.sets.ambient & bit(number)) == 0) continue;
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) != 0) {
      return base::fail_errno("prctl", "PR_CAP_AMBIENT_RAISE");
    }
  }
  return {};
}

}  // namespace runtime::security
