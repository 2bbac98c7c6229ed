// config.md "Process" and config-linux.md's additions to it; runc's validateProcessSpec, scheduler,
// ioPriority and prepareEnv.
#include <algorithm>

#include "oci/cpu_list.hpp"
#include "oci/invalid.hpp"
#include "oci/names.hpp"
#include "oci/validate.hpp"

namespace oci {
namespace {

base::Result<void> check_env(const Process& process) {
  for (std::size_t i = 0; i < process.env.size(); ++i) {
    const std::size_t equals = process.env[i].find('=');
    const std::string at = element("process.env", i);
    if (equals == std::string::npos) {
      return invalid(at, "invalid environment variable: missing '='");
    }
    if (equals == 0) return invalid(at, "invalid environment variable: name cannot be empty");
  }
  return {};
}

base::Result<void> check_rlimits(const Process& process) {
  for (std::size_t i = 0; i < process.rlimits.size(); ++i) {
    const Rlimit& rlimit = process.rlimits[i];
    const std::string at = element("process.rlimits", i);
    const auto same_type = [&](const Rlimit& other) { return other.type == rlimit.type; };
    if (std::any_of(process.rlimits.begin(), process.rlimits.begin() + static_cast<long>(i),
                    same_type)) {
      return invalid(at + ".type", "duplicated rlimit " + std::string(name_of(rlimit.type)));
    }
    if (rlimit.soft > rlimit.hard) {
      return invalid(at + ".soft", std::string(name_of(rlimit.type)) + ": above the hard limit");
    }
  }
  return {};
}

base::Result<void> check_scheduler(const Scheduler& scheduler) {
  const SchedulerPolicy policy = scheduler.policy;
  const bool nice_counts = policy == SchedulerPolicy::Other || policy == SchedulerPolicy::Batch;
  if (nice_counts && (scheduler.nice < -20 || scheduler.nice > 19)) {
    return invalid("process.scheduler.nice",
                   "invalid scheduler.nice: " + std::to_string(scheduler.nice) +
                       " when scheduler.policy is " + std::string(name_of(policy)));
  }
  const bool realtime = policy == SchedulerPolicy::Fifo || policy == SchedulerPolicy::RoundRobin;
  if (scheduler.priority != 0 && !realtime) {
    return invalid("process.scheduler.priority",
                   "scheduler.priority can only be specified for SchedFIFO or SchedRR policy");
  }
  const bool has_times = scheduler.runtime != 0 || scheduler.deadline != 0 || scheduler.period != 0;
  if (has_times && policy != SchedulerPolicy::Deadline) {
    return invalid("process.scheduler",
                   "scheduler runtime/deadline/period can only be specified for SchedDeadline "
                   "policy");
  }
  return {};
}

base::Result<void> check_affinity(const ExecCpuAffinity& affinity) {
  TRY(base::with_context(parse_cpu_list(affinity.initial), "process.execCPUAffinity.initial"));
  TRY(base::with_context(parse_cpu_list(affinity.final), "process.execCPUAffinity.final"));
  return {};
}

}  // namespace

base::Result<Warnings> validate(const Process& process) {
  if (process.cwd.empty()) return invalid("process.cwd", "Cwd property must not be empty");
  if (!is_absolute(process.cwd)) return invalid("process.cwd", "Cwd must be an absolute path");
  if (process.args.empty()) return invalid("process.args", "args must not be empty");
  TRY(check_env(process));
  TRY(check_rlimits(process));
  if (process.oom_score_adj && (*process.oom_score_adj < -1000 || *process.oom_score_adj > 1000)) {
    return invalid("process.oomScoreAdj", "must be from -1000 to 1000");
  }
  if (process.scheduler) TRY(check_scheduler(*process.scheduler));
  if (process.io_priority &&
      (process.io_priority->priority < 0 || process.io_priority->priority > 7)) {
    return invalid("process.ioPriority.priority",
                   "invalid ioPriority.Priority: " + std::to_string(process.io_priority->priority));
  }
  if (process.exec_cpu_affinity) TRY(check_affinity(*process.exec_cpu_affinity));
  return Warnings{};
}

}  // namespace oci
