#include "oci/names.hpp"

namespace oci {
namespace {

constexpr NamedValue<NamespaceType> kNamespaceTypes[] = {
    {NamespaceType::Pid, "pid"},       {NamespaceType::Network, "network"},
    {NamespaceType::Mount, "mount"},   {NamespaceType::Ipc, "ipc"},
    {NamespaceType::Uts, "uts"},       {NamespaceType::User, "user"},
    {NamespaceType::Cgroup, "cgroup"}, {NamespaceType::Time, "time"},
};

constexpr NamedValue<DeviceType> kDeviceTypes[] = {
    {DeviceType::Char, "c"},
    {DeviceType::Block, "b"},
    {DeviceType::Unbuffered, "u"},
    {DeviceType::Fifo, "p"},
};

constexpr NamedValue<DeviceRuleType> kDeviceRuleTypes[] = {
    {DeviceRuleType::All, "a"},
    {DeviceRuleType::Char, "c"},
    {DeviceRuleType::Block, "b"},
};

constexpr NamedValue<RlimitType> kRlimitTypes[] = {
    {RlimitType::As, "RLIMIT_AS"},
    {RlimitType::Core, "RLIMIT_CORE"},
    {RlimitType::Cpu, "RLIMIT_CPU"},
    {RlimitType::Data, "RLIMIT_DATA"},
    {RlimitType::Fsize, "RLIMIT_FSIZE"},
    {RlimitType::Locks, "RLIMIT_LOCKS"},
    {RlimitType::Memlock, "RLIMIT_MEMLOCK"},
    {RlimitType::Msgqueue, "RLIMIT_MSGQUEUE"},
    {RlimitType::Nice, "RLIMIT_NICE"},
    {RlimitType::Nofile, "RLIMIT_NOFILE"},
    {RlimitType::Nproc, "RLIMIT_NPROC"},
    {RlimitType::Rss, "RLIMIT_RSS"},
    {RlimitType::Rtprio, "RLIMIT_RTPRIO"},
    {RlimitType::Rttime, "RLIMIT_RTTIME"},
    {RlimitType::Sigpending, "RLIMIT_SIGPENDING"},
    {RlimitType::Stack, "RLIMIT_STACK"},
};

constexpr NamedValue<SchedulerPolicy> kSchedulerPolicies[] = {
    {SchedulerPolicy::Other, "SCHED_OTHER"},       {SchedulerPolicy::Fifo, "SCHED_FIFO"},
    {SchedulerPolicy::RoundRobin, "SCHED_RR"},     {SchedulerPolicy::Batch, "SCHED_BATCH"},
    {SchedulerPolicy::Iso, "SCHED_ISO"},           {SchedulerPolicy::Idle, "SCHED_IDLE"},
    {SchedulerPolicy::Deadline, "SCHED_DEADLINE"},
};

constexpr NamedValue<SchedulerFlag> kSchedulerFlags[] = {
    {SchedulerFlag::ResetOnFork, "SCHED_FLAG_RESET_ON_FORK"},
    {SchedulerFlag::Reclaim, "SCHED_FLAG_RECLAIM"},
    {SchedulerFlag::DlOverrun, "SCHED_FLAG_DL_OVERRUN"},
    {SchedulerFlag::KeepPolicy, "SCHED_FLAG_KEEP_POLICY"},
    {SchedulerFlag::KeepParams, "SCHED_FLAG_KEEP_PARAMS"},
    {SchedulerFlag::UtilClampMin, "SCHED_FLAG_UTIL_CLAMP_MIN"},
    {SchedulerFlag::UtilClampMax, "SCHED_FLAG_UTIL_CLAMP_MAX"},
};

constexpr NamedValue<IoPriorityClass> kIoPriorityClasses[] = {
    {IoPriorityClass::Realtime, "IOPRIO_CLASS_RT"},
    {IoPriorityClass::BestEffort, "IOPRIO_CLASS_BE"},
    {IoPriorityClass::Idle, "IOPRIO_CLASS_IDLE"},
};

constexpr NamedValue<MemoryPolicyMode> kMemoryPolicyModes[] = {
    {MemoryPolicyMode::Default, "MPOL_DEFAULT"},
    {MemoryPolicyMode::Bind, "MPOL_BIND"},
    {MemoryPolicyMode::Interleave, "MPOL_INTERLEAVE"},
    {MemoryPolicyMode::WeightedInterleave, "MPOL_WEIGHTED_INTERLEAVE"},
    {MemoryPolicyMode::Preferred, "MPOL_PREFERRED"},
    {MemoryPolicyMode::PreferredMany, "MPOL_PREFERRED_MANY"},
    {MemoryPolicyMode::Local, "MPOL_LOCAL"},
};

constexpr NamedValue<MemoryPolicyFlag> kMemoryPolicyFlags[] = {
    {MemoryPolicyFlag::NumaBalancing, "MPOL_F_NUMA_BALANCING"},
    {MemoryPolicyFlag::RelativeNodes, "MPOL_F_RELATIVE_NODES"},
    {MemoryPolicyFlag::StaticNodes, "MPOL_F_STATIC_NODES"},
};

constexpr NamedValue<PersonalityDomain> kPersonalityDomains[] = {
    {PersonalityDomain::Linux, "LINUX"},
    {PersonalityDomain::Linux32, "LINUX32"},
};

constexpr NamedValue<SeccompAction> kSeccompActions[] = {
    {SeccompAction::Kill, "SCMP_ACT_KILL"},
    {SeccompAction::KillProcess, "SCMP_ACT_KILL_PROCESS"},
    {SeccompAction::KillThread, "SCMP_ACT_KILL_THREAD"},
    {SeccompAction::Trap, "SCMP_ACT_TRAP"},
    {SeccompAction::Errno, "SCMP_ACT_ERRNO"},
    {SeccompAction::Trace, "SCMP_ACT_TRACE"},
    {SeccompAction::Allow, "SCMP_ACT_ALLOW"},
    {SeccompAction::Log, "SCMP_ACT_LOG"},
    {SeccompAction::Notify, "SCMP_ACT_NOTIFY"},
};

constexpr NamedValue<SeccompOperator> kSeccompOperators[] = {
    {SeccompOperator::NotEqual, "SCMP_CMP_NE"},
    {SeccompOperator::LessThan, "SCMP_CMP_LT"},
    {SeccompOperator::LessEqual, "SCMP_CMP_LE"},
    {SeccompOperator::EqualTo, "SCMP_CMP_EQ"},
    {SeccompOperator::GreaterEqual, "SCMP_CMP_GE"},
    {SeccompOperator::GreaterThan, "SCMP_CMP_GT"},
    {SeccompOperator::MaskedEqual, "SCMP_CMP_MASKED_EQ"},
};

constexpr NamedValue<SeccompArch> kSeccompArchs[] = {
    {SeccompArch::X86, "SCMP_ARCH_X86"},
    {SeccompArch::X86_64, "SCMP_ARCH_X86_64"},
    {SeccompArch::X32, "SCMP_ARCH_X32"},
    {SeccompArch::Arm, "SCMP_ARCH_ARM"},
    {SeccompArch::Aarch64, "SCMP_ARCH_AARCH64"},
    {SeccompArch::Mips, "SCMP_ARCH_MIPS"},
    {SeccompArch::Mips64, "SCMP_ARCH_MIPS64"},
    {SeccompArch::Mips64N32, "SCMP_ARCH_MIPS64N32"},
    {SeccompArch::Mipsel, "SCMP_ARCH_MIPSEL"},
    {SeccompArch::Mipsel64, "SCMP_ARCH_MIPSEL64"},
    {SeccompArch::Mipsel64N32, "SCMP_ARCH_MIPSEL64N32"},
    {SeccompArch::Ppc, "SCMP_ARCH_PPC"},
    {SeccompArch::Ppc64, "SCMP_ARCH_PPC64"},
    {SeccompArch::Ppc64Le, "SCMP_ARCH_PPC64LE"},
    {SeccompArch::S390, "SCMP_ARCH_S390"},
    {SeccompArch::S390x, "SCMP_ARCH_S390X"},
    {SeccompArch::Parisc, "SCMP_ARCH_PARISC"},
    {SeccompArch::Parisc64, "SCMP_ARCH_PARISC64"},
    {SeccompArch::Riscv64, "SCMP_ARCH_RISCV64"},
    {SeccompArch::Loongarch64, "SCMP_ARCH_LOONGARCH64"},
    {SeccompArch::M68k, "SCMP_ARCH_M68K"},
    {SeccompArch::Sh, "SCMP_ARCH_SH"},
    {SeccompArch::Sheb, "SCMP_ARCH_SHEB"},
};

constexpr NamedValue<SeccompFlag> kSeccompFlags[] = {
    {SeccompFlag::Log, "SECCOMP_FILTER_FLAG_LOG"},
    {SeccompFlag::SpecAllow, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"},
    {SeccompFlag::WaitKillableRecv, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"},
    {SeccompFlag::Tsync, "SECCOMP_FILTER_FLAG_TSYNC"},
};

constexpr NamedValue<Status> kStatuses[] = {
    {Status::Creating, "creating"}, {Status::Created, "created"}, {Status::Running, "running"},
    {Status::Stopped, "stopped"},   {Status::Paused, "paused"},
};

}  // namespace

template <>
NameTable<NamespaceType> names<NamespaceType>() {
  return {"namespace type", kNamespaceTypes};
}
template <>
NameTable<DeviceType> names<DeviceType>() {
  return {"device type", kDeviceTypes};
}
template <>
NameTable<DeviceRuleType> names<DeviceRuleType>() {
  return {"cgroup device type", kDeviceRuleTypes};
}
template <>
NameTable<RlimitType> names<RlimitType>() {
  return {"rlimit type", kRlimitTypes};
}
template <>
NameTable<SchedulerPolicy> names<SchedulerPolicy>() {
  return {"scheduler policy", kSchedulerPolicies};
}
template <>
NameTable<SchedulerFlag> names<SchedulerFlag>() {
  return {"scheduler flag", kSchedulerFlags};
}
template <>
NameTable<IoPriorityClass> names<IoPriorityClass>() {
  return {"ioPriority class", kIoPriorityClasses};
}
template <>
NameTable<MemoryPolicyMode> names<MemoryPolicyMode>() {
  return {"memory policy mode", kMemoryPolicyModes};
}
template <>
NameTable<MemoryPolicyFlag> names<MemoryPolicyFlag>() {
  return {"memory policy flag", kMemoryPolicyFlags};
}
template <>
NameTable<PersonalityDomain> names<PersonalityDomain>() {
  return {"personality domain", kPersonalityDomains};
}
template <>
NameTable<SeccompAction> names<SeccompAction>() {
  return {"seccomp action", kSeccompActions};
}
template <>
NameTable<SeccompOperator> names<SeccompOperator>() {
  return {"seccomp operator", kSeccompOperators};
}
template <>
NameTable<SeccompArch> names<SeccompArch>() {
  return {"seccomp architecture", kSeccompArchs};
}
template <>
NameTable<SeccompFlag> names<SeccompFlag>() {
  return {"seccomp flag", kSeccompFlags};
}
template <>
NameTable<Status> names<Status>() {
  return {"status", kStatuses};
}

}  // namespace oci
