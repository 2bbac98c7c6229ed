#include "runtime/security/scheduling.hpp"

#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "oci/cpu_list.hpp"
#include "oci/names.hpp"

namespace runtime::security {
namespace {

// sched_attr of sched_setattr(2). linux/sched/types.h cannot be included beside sched.h.
struct SchedAttr {
  std::uint32_t size;
  std::uint32_t sched_policy;
  std::uint64_t sched_flags;
  std::int32_t sched_nice;
  std::uint32_t sched_priority;
  std::uint64_t sched_runtime;
  std::uint64_t sched_deadline;
  std::uint64_t sched_period;
};
static_assert(sizeof(SchedAttr) == 48);  // SCHED_ATTR_SIZE_VER0

// The kernel's numbers, each table in the order of its enum.
constexpr std::uint32_t kPolicies[] = {
    SCHED_NORMAL,
    SCHED_FIFO,
    SCHED_RR,
    SCHED_BATCH,
    4,  // SCHED_ISO: reserved in linux/sched.h, refused by the kernel
    SCHED_IDLE,
    SCHED_DEADLINE};
constexpr std::uint64_t kSchedulerFlags[] = {SCHED_FLAG_RESET_ON_FORK, SCHED_FLAG_RECLAIM,
                                             SCHED_FLAG_DL_OVERRUN,    SCHED_FLAG_KEEP_POLICY,
                                             SCHED_FLAG_KEEP_PARAMS,   SCHED_FLAG_UTIL_CLAMP_MIN,
                                             SCHED_FLAG_UTIL_CLAMP_MAX};
// linux/ioprio.h has a parameter named class: not C++.
constexpr int kIoClasses[] = {1, 2, 3};
constexpr int kIoClassShift = 13;
constexpr int kIoWhoProcess = 1;
constexpr int kMemoryModes[] = {MPOL_DEFAULT,
                                MPOL_BIND,
                                MPOL_INTERLEAVE,
                                6,  // MPOL_WEIGHTED_INTERLEAVE, Linux 6.9
                                MPOL_PREFERRED,
                                MPOL_PREFERRED_MANY,
                                MPOL_LOCAL};
constexpr int kMemoryFlags[] = {MPOL_F_NUMA_BALANCING, MPOL_F_RELATIVE_NODES, MPOL_F_STATIC_NODES};

template <typename E, typename T, std::size_t kSize>
T number_of(E value, const T (&table)[kSize]) {
  return std::span<const T, kSize>(table)[static_cast<std::size_t>(value)];
}

constexpr std::size_t kBitsPerWord = std::numeric_limits<unsigned long>::digits;

}  // namespace

base::Result<void> apply_scheduler(const oci::Scheduler& scheduler) {
  SchedAttr attributes{};
  attributes.size = sizeof attributes;
  attributes.sched_policy = number_of(scheduler.policy, kPolicies);
  attributes.sched_nice = scheduler.nice;
  attributes.sched_priority = static_cast<std::uint32_t>(scheduler.priority);
  attributes.sched_runtime = scheduler.runtime;
  attributes.sched_deadline = scheduler.deadline;
  attributes.sched_period = scheduler.period;
  for (const oci::SchedulerFlag flag : scheduler.flags) {
    attributes.sched_flags |= number_of(flag, kSchedulerFlags);
  }
  // Safety: the kernel reads `size` bytes; glibc 2.36 has no wrapper.
  if (::syscall(SYS_sched_setattr, 0, &attributes, 0) != 0) {
    return base::fail_errno("sched_setattr", oci::name_of(scheduler.policy));
  }
  return {};
}

base::Result<void> apply_io_priority(const oci::IoPriority& priority) {
  const int value = number_of(priority.io_class, kIoClasses) << kIoClassShift | priority.priority;
  // Safety: three integers.
  if (::syscall(SYS_ioprio_set, kIoWhoProcess, 0, value) != 0) {
    return base::fail_errno("ioprio_set", oci::name_of(priority.io_class));
  }
  return {};
}

base::Result<void> apply_memory_policy(const oci::MemoryPolicy& policy) {
  const std::vector<unsigned long> nodes = TRY(oci::parse_cpu_list(policy.nodes));
  int mode = number_of(policy.mode, kMemoryModes);
  for (const oci::MemoryPolicyFlag flag : policy.flags) mode |= number_of(flag, kMemoryFlags);
  // The kernel counts one bit less than it is told (mm/mempolicy.c, get_nodes).
  const std::size_t bits = nodes.empty() ? 0 : nodes.size() * kBitsPerWord + 1;
  // Safety: reads bits - 1 bits from the mask.
  if (::syscall(SYS_set_mempolicy, mode, nodes.empty() ? nullptr : nodes.data(), bits) != 0) {
    return base::fail_errno("set_mempolicy", oci::name_of(policy.mode));
  }
  return {};
}

base::Result<void> apply_cpu_affinity(std::string_view cpus) {
  const std::vector<unsigned long> mask = TRY(oci::parse_cpu_list(cpus));
  if (mask.empty()) return {};
  // Safety: reads that many bytes; glibc's wrapper wants a cpu_set_t.
  if (::syscall(SYS_sched_setaffinity, 0, mask.size() * sizeof mask[0], mask.data()) != 0) {
    return base::fail_errno("sched_setaffinity", cpus);
  }
  return {};
}

void reset_cpu_affinity() {
  std::array<unsigned long, 128> mask{};  // the most CPUs that x86-64 kernels are built for
  mask.fill(~0UL);
  // Safety: as above.
  static_cast<void>(::syscall(SYS_sched_setaffinity, 0, sizeof mask, mask.data()));
}

}  // namespace runtime::security
