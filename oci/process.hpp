// The process of a container, as runtime-spec 1.3.0 config.md "Process" has it; also the file given
// to `exec --process`. Plain data: field names are the spec's, in snake_case.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace oci {

struct ConsoleSize {
  std::uint32_t height = 0;
  std::uint32_t width = 0;
};

struct User {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::optional<std::uint32_t> umask;
  std::vector<std::uint32_t> additional_gids;
};

/// Names as written ("CAP_CHOWN"): the spec wants unknown ones to be a warning, so they stay text.
struct Capabilities {
  std::vector<std::string> bounding;
  std::vector<std::string> effective;
  std::vector<std::string> inheritable;
  std::vector<std::string> permitted;
  std::vector<std::string> ambient;
};

enum class RlimitType : std::uint8_t {
  As,
  Core,
  Cpu,
  Data,
  Fsize,
  Locks,
  Memlock,
  Msgqueue,
  Nice,
  Nofile,
  Nproc,
  Rss,
  Rtprio,
  Rttime,
  Sigpending,
  Stack,
};

/// UINT64_MAX is RLIM_INFINITY.
struct Rlimit {
  RlimitType type = RlimitType::As;
  std::uint64_t hard = 0;
  std::uint64_t soft = 0;
};

enum class SchedulerPolicy : std::uint8_t { Other, Fifo, RoundRobin, Batch, Iso, Idle, Deadline };

enum class SchedulerFlag : std::uint8_t {
  ResetOnFork,
  Reclaim,
  DlOverrun,
  KeepPolicy,
  KeepParams,
  UtilClampMin,
  UtilClampMax,
};

/// sched_setattr(2); the last three are nanoseconds of SCHED_DEADLINE.
struct Scheduler {
  SchedulerPolicy policy = SchedulerPolicy::Other;
  std::int32_t nice = 0;
  std::int32_t priority = 0;
  std::vector<SchedulerFlag> flags;
  std::uint64_t runtime = 0;
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};

enum class IoPriorityClass : std::uint8_t { Realtime, BestEffort, Idle };

struct IoPriority {
  IoPriorityClass io_class = IoPriorityClass::BestEffort;
  std::int32_t priority = 0;
};

/// CPU lists ("0-3,7") for exec processes: before and after they enter the container's cgroup.
struct ExecCpuAffinity {
  std::string initial;
  std::string final;
};

struct Process {
  bool terminal = false;
  std::optional<ConsoleSize> console_size;
  User user;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string cwd;
  std::optional<Capabilities> capabilities;
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  std::string apparmor_profile;
  std::optional<std::int32_t> oom_score_adj;
  std::string selinux_label;
  std::optional<Scheduler> scheduler;
  std::optional<IoPriority> io_priority;
  std::optional<ExecCpuAffinity> exec_cpu_affinity;
};

}  // namespace oci
