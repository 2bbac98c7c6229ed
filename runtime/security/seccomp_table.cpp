#include "runtime/security/seccomp_table.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

namespace runtime::security {
namespace {

struct Architecture {
  oci::SeccompArch name;
  std::uint32_t token;  // libseccomp's
  std::uint32_t audit_arch;
  bool narrow;
};

// What this kernel can run, the native one first. Arguments of x32 calls are 64 bits wide, but
// libseccomp compares the lower half, and so do we.
#if defined(__x86_64__)
constexpr Architecture kArchitectures[] = {
    {oci::SeccompArch::X86_64, SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, false},
    {oci::SeccompArch::X86, SCMP_ARCH_X86, AUDIT_ARCH_I386, true},
    {oci::SeccompArch::X32, SCMP_ARCH_X32, AUDIT_ARCH_X86_64, true},
};
#elif defined(__aarch64__)
constexpr Architecture kArchitectures[] = {
    {oci::SeccompArch::Aarch64, SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, false},
    {oci::SeccompArch::Arm, SCMP_ARCH_ARM, AUDIT_ARCH_ARM, true},
};
#else
#error "seccomp: say which architectures this kernel runs"
#endif

// i386 reaches these also through socketcall(2) and ipc(2), whose first argument says which is
// meant.
struct Multiplexed {
  std::string_view name;
  const char* multiplexer;
  std::uint64_t selector;
  int direct;  // -1: there is none
};
constexpr Multiplexed kMultiplexed[] = {
    {"socket", "socketcall", 1, 359},
    {"bind", "socketcall", 2, 361},
    {"connect", "socketcall", 3, 362},
    {"listen", "socketcall", 4, 363},
    {"accept", "socketcall", 5, -1},
    {"getsockname", "socketcall", 6, 367},
    {"getpeername", "socketcall", 7, 368},
    {"socketpair", "socketcall", 8, 360},
    {"send", "socketcall", 9, -1},
    {"recv", "socketcall", 10, -1},
    {"sendto", "socketcall", 11, 369},
    {"recvfrom", "socketcall", 12, 371},
    {"shutdown", "socketcall", 13, 373},
    {"setsockopt", "socketcall", 14, 366},
    {"getsockopt", "socketcall", 15, 365},
    {"sendmsg", "socketcall", 16, 370},
    {"recvmsg", "socketcall", 17, 372},
    {"accept4", "socketcall", 18, 364},
    {"recvmmsg", "socketcall", 19, 337},
    {"sendmmsg", "socketcall", 20, 345},
    {"semop", "ipc", 1, -1},
    {"semget", "ipc", 2, 393},
    {"semctl", "ipc", 3, 394},
    {"semtimedop", "ipc", 4, -1},
    {"msgsnd", "ipc", 11, 400},
    {"msgrcv", "ipc", 12, 401},
    {"msgget", "ipc", 13, 399},
    {"msgctl", "ipc", 14, 402},
    {"shmat", "ipc", 21, 397},
    {"shmdt", "ipc", 22, 398},
    {"shmget", "ipc", 23, 395},
    {"shmctl", "ipc", 24, 396},
};

SeccompAnswer answer_of(oci::SeccompAction action, const std::optional<std::uint32_t>& errno_ret) {
  const std::uint32_t value = errno_ret.value_or(EPERM) & SECCOMP_RET_DATA;
  switch (action) {
    case oci::SeccompAction::Kill:
    case oci::SeccompAction::KillThread:
      return SECCOMP_RET_KILL_THREAD;
    case oci::SeccompAction::KillProcess:
      return SECCOMP_RET_KILL_PROCESS;
    case oci::SeccompAction::Trap:
      return SECCOMP_RET_TRAP;
    case oci::SeccompAction::Errno:
      return SECCOMP_RET_ERRNO | value;
    case oci::SeccompAction::Trace:
      return SECCOMP_RET_TRACE | value;
    case oci::SeccompAction::Allow:
      return SECCOMP_RET_ALLOW;
    case oci::SeccompAction::Log:
      return SECCOMP_RET_LOG;
    case oci::SeccompAction::Notify:
      return SECCOMP_RET_USER_NOTIF;
  }
  return SECCOMP_RET_KILL_PROCESS;
}

/// As kernel/seccomp.c compares: the smaller, the stricter.
std::int32_t strictness(SeccompAnswer answer) {
  return static_cast<std::int32_t>(answer & SECCOMP_RET_ACTION_FULL);
}

bool tests_an_argument_twice(const std::vector<oci::SeccompArg>& args) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    for (std::size_t j = i + 1; j < args.size(); ++j) {
      if (args[i].index == args[j].index) return true;
    }
  }
  return false;
}

/// Keeps the strictest in front, equals in the profile's order.
void add_ordered(CallAnswers& call, ConditionalAnswer rule) {
  const auto behind = std::upper_bound(call.conditional.begin(), call.conditional.end(), rule,
                                       [](const ConditionalAnswer& a, const ConditionalAnswer& b) {
                                         return strictness(a.answer) < strictness(b.answer);
                                       });
  call.conditional.insert(behind, std::move(rule));
}

void add_conditional(CallAnswers& call, const std::vector<oci::SeccompArg>& args,
                     SeccompAnswer answer) {
  if (!tests_an_argument_twice(args)) return add_ordered(call, {args, answer});
  for (const oci::SeccompArg& arg : args) add_ordered(call, {{arg}, answer});
}

const Multiplexed* find_multiplexed(const Architecture& arch, std::string_view name) {
  if (arch.name != oci::SeccompArch::X86) return nullptr;
  const auto* const found =
      std::find_if(std::begin(kMultiplexed), std::end(kMultiplexed),
                   [&](const Multiplexed& entry) { return entry.name == name; });
  return found == std::end(kMultiplexed) ? nullptr : found;
}

/// Negative: unknown, or not on this architecture.
int number_of(const Architecture& arch, const std::string& name) {
  if (const Multiplexed* call = find_multiplexed(arch, name)) return call->direct;
  return ::seccomp_syscall_resolve_name_arch(arch.token, name.c_str());
}

/// The same rule for the call's way through a multiplexer. What the call's own arguments are cannot
/// be seen there (they lie in memory), so conditions on them are dropped: like libseccomp for the
/// first, which the selector takes the place of; for the others only if that makes the filter
/// stricter.
void add_multiplexed(ArchTable& table, const Multiplexed& call, const oci::SeccompSyscall& rule,
                     SeccompAnswer answer, SeccompAnswer otherwise) {
  const bool first_only = std::all_of(rule.args.begin(), rule.args.end(),
                                      [](const oci::SeccompArg& arg) { return arg.index == 0; });
  if (!first_only && strictness(answer) > strictness(otherwise)) return;
  const int number = ::seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, call.multiplexer);
  add_ordered(table.calls[static_cast<std::uint32_t>(number)],
              {{{0, call.selector, 0, oci::SeccompOperator::EqualTo}}, answer});
}

ArchTable table_for(const Architecture& arch, const oci::Seccomp& profile,
                    SeccompAnswer otherwise) {
  ArchTable table;
  table.audit_arch = arch.audit_arch;
  table.x32 = arch.name == oci::SeccompArch::X32;
  table.narrow = arch.narrow;
  int largest = 0;
  for (const oci::SeccompSyscall& rule : profile.syscalls) {
    const SeccompAnswer answer = answer_of(rule.action, rule.errno_ret);
    for (const std::string& name : rule.names) {
      const int number = number_of(arch, name);
      largest = std::max(largest, number);
      if (answer == otherwise) continue;
      if (const Multiplexed* multiplexed = find_multiplexed(arch, name)) {
        add_multiplexed(table, *multiplexed, rule, answer, otherwise);
      }
      if (number < 0) continue;
      CallAnswers& call = table.calls[static_cast<std::uint32_t>(number)];
      if (!rule.args.empty()) {
        add_conditional(call, rule.args, answer);
      } else if (!call.always) {
        call.always = answer;
      }
    }
  }
  if (largest > 0) table.enosys_above = static_cast<std::uint32_t>(largest);
  return table;
}

/// A default that lets calls pass needs no ENOSYS for new ones. SCMP_ACT_TRACE: the tracer decides.
bool is_permissive(SeccompAnswer answer) {
  return strictness(answer) >= strictness(SECCOMP_RET_TRACE);
}

}  // namespace

SeccompTable seccomp_table(const oci::Seccomp& profile) {
  SeccompTable table;
  table.otherwise = answer_of(profile.default_action, profile.default_errno_ret);
  for (const Architecture& arch : kArchitectures) {
    const bool native = arch.name == kArchitectures[0].name;
    const auto& listed = profile.architectures;
    if (!native && std::find(listed.begin(), listed.end(), arch.name) == listed.end()) continue;
    table.archs.push_back(table_for(arch, profile, table.otherwise));
    if (is_permissive(table.otherwise)) table.archs.back().enosys_above.reset();
  }
  return table;
}

}  // namespace runtime::security
