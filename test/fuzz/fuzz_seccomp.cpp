// Compiled filters against the meaning of the profile: the bytes make a profile and system calls; a
// model of a few lines says what the spec wants for each call, and the filter, run by our
// evaluator, must say the same. Where rules contradict each other, any of their answers is right.
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oci/seccomp.hpp"
#include "oci/write.hpp"
#include "runtime/security/bpf_evaluator.hpp"
#include "runtime/security/seccomp_compile.hpp"

namespace {

using oci::SeccompAction;
using oci::SeccompArch;
using oci::SeccompOperator;

constexpr const char* kNames[] = {"read",   "write",       "openat",    "clone",
                                  "mount",  "personality", "mkdir",     "openat2",
                                  "clone3", "close_range", "socket",    "bind",
                                  "ioctl",  "prctl",       "getrandom", "no_such_call"};
constexpr const char* kFiller[] = {
    "access", "alarm",  "brk",    "chdir",   "chmod",  "chown",  "close",  "creat", "dup",
    "dup2",   "execve", "exit",   "fchdir",  "fchmod", "fchown", "fcntl",  "flock", "fork",
    "fstat",  "fsync",  "getcwd", "getegid", "getgid", "getpid", "getuid", "kill",  "link",
    "lseek",  "lstat",  "mmap",   "munmap",  "open",   "pause",  "pipe",   "poll",  "rename"};
constexpr std::uint64_t kCorners[] = {0,           1,          2,           0x7FFFFFFF,
                                      0x80000000,  0xFFFFFFFF, 0x100000000, 0x100000001,
                                      0x180000000, INT64_MAX,  1ULL << 63,  UINT64_MAX};

/// Reads zeros when the input is used up.
class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  std::size_t below(std::size_t limit) {
    if (at_ == bytes_.size()) return 0;
    return bytes_[at_++] % limit;
  }
  template <typename T, std::size_t kSize>
  const T& pick(const T (&table)[kSize]) {
    return std::span<const T, kSize>(table)[below(kSize)];
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

oci::Seccomp profile_from(Input& in) {
  constexpr SeccompAction kActions[] = {SeccompAction::Allow, SeccompAction::Errno,
                                        SeccompAction::Trap,  SeccompAction::Log,
                                        SeccompAction::Trace, SeccompAction::KillProcess};
  oci::Seccomp profile;
  profile.default_action = in.pick(kActions);
  profile.architectures = {SeccompArch::X86_64};
  if (in.below(2) != 0) profile.architectures.push_back(SeccompArch::X32);
  if (in.below(2) != 0) profile.architectures.push_back(SeccompArch::X86);
  for (std::size_t rules = in.below(7); rules > 0; --rules) {
    oci::SeccompSyscall rule;
    for (std::size_t names = 1 + in.below(3); names > 0; --names) {
      rule.names.emplace_back(in.pick(kNames));
    }
    rule.action = in.pick(kActions);
    if (rule.action == SeccompAction::Errno) rule.errno_ret = 1 + in.below(3);
    for (std::size_t args = in.below(4); args > 0; --args) {
      oci::SeccompArg arg;
      arg.index = static_cast<std::uint32_t>(in.below(6));
      arg.op = static_cast<SeccompOperator>(in.below(7));
      arg.value = in.pick(kCorners);
      arg.value_two = in.pick(kCorners);
      rule.args.push_back(arg);
    }
    profile.syscalls.push_back(std::move(rule));
  }
  // Enough names for jumps that are longer than a byte.
  if (in.below(2) != 0) {
    profile.syscalls.push_back(
        {{std::begin(kFiller), std::end(kFiller)}, in.pick(kActions), {}, {}});
  }
  return profile;
}

std::uint32_t answer_of(SeccompAction action, const std::optional<std::uint32_t>& errno_ret) {
  switch (action) {
    case SeccompAction::Errno:
      return SECCOMP_RET_ERRNO | errno_ret.value_or(EPERM);
    case SeccompAction::Trap:
      return SECCOMP_RET_TRAP;
    case SeccompAction::Log:
      return SECCOMP_RET_LOG;
    case SeccompAction::Trace:
      return SECCOMP_RET_TRACE | EPERM;
    case SeccompAction::KillProcess:
      return SECCOMP_RET_KILL_PROCESS;
    default:
      return SECCOMP_RET_ALLOW;
  }
}

bool holds(const oci::SeccompArg& arg, const seccomp_data& call, std::uint64_t width) {
  const std::uint64_t argument = call.args[arg.index] & width;
  const std::uint64_t value = arg.value & width;
  switch (arg.op) {
    case SeccompOperator::NotEqual:
      return argument != value;
    case SeccompOperator::LessThan:
      return argument < value;
    case SeccompOperator::LessEqual:
      return argument <= value;
    case SeccompOperator::EqualTo:
      return argument == value;
    case SeccompOperator::GreaterEqual:
      return argument >= value;
    case SeccompOperator::GreaterThan:
      return argument > value;
    case SeccompOperator::MaskedEqual:
      // As libseccomp: bits of the right side that the mask does not have are ignored.
      return (argument & value) == (arg.value_two & value);
  }
  return false;
}

/// Conditions on different arguments must all hold; on one argument twice, they are alternatives.
bool matches(const oci::SeccompSyscall& rule, const seccomp_data& call, std::uint64_t width) {
  const auto hold = [&](const oci::SeccompArg& arg) { return holds(arg, call, width); };
  std::vector<std::uint32_t> indices;
  for (const oci::SeccompArg& arg : rule.args) indices.push_back(arg.index);
  std::sort(indices.begin(), indices.end());
  const bool twice = std::adjacent_find(indices.begin(), indices.end()) != indices.end();
  return twice ? std::any_of(rule.args.begin(), rule.args.end(), hold)
               : std::all_of(rule.args.begin(), rule.args.end(), hold);
}

/// What the profile says to a call of this name.
std::uint32_t expected(const oci::Seccomp& profile, const std::string& name,
                       const seccomp_data& call, std::uint64_t width) {
  const std::uint32_t otherwise = answer_of(profile.default_action, {});
  std::optional<std::uint32_t> strictest;
  for (const oci::SeccompSyscall& rule : profile.syscalls) {
    const std::uint32_t answer = answer_of(rule.action, rule.errno_ret);
    if (std::find(rule.names.begin(), rule.names.end(), name) == rule.names.end()) continue;
    if (answer != otherwise && rule.args.empty()) return answer;
  }
  for (const oci::SeccompSyscall& rule : profile.syscalls) {
    const std::uint32_t answer = answer_of(rule.action, rule.errno_ret);
    if (std::find(rule.names.begin(), rule.names.end(), name) == rule.names.end()) continue;
    if (answer == otherwise || !matches(rule, call, width)) continue;
    const auto rank = [](std::uint32_t value) {
      return static_cast<std::int32_t>(value & SECCOMP_RET_ACTION_FULL);
    };
    if (!strictest || rank(answer) < rank(*strictest)) strictest = answer;
  }
  return strictest.value_or(otherwise);
}

struct Abi {
  SeccompArch name;
  std::uint32_t token;
  std::uint32_t audit_arch;
  std::uint64_t width;
};
constexpr Abi kAbis[] = {
    {SeccompArch::X86_64, SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, UINT64_MAX},
    {SeccompArch::X86, SCMP_ARCH_X86, AUDIT_ARCH_I386, UINT32_MAX},
    {SeccompArch::X32, SCMP_ARCH_X32, AUDIT_ARCH_X86_64, UINT32_MAX},
};

/// 0 when there is none; read is 0 on x86_64.
std::uint32_t number_on(const Abi& abi, const std::string& name) {
  // libseccomp has only pseudo numbers for these.
  if (abi.name == SeccompArch::X86 && name == "socket") return 359;
  if (abi.name == SeccompArch::X86 && name == "bind") return 361;
  return static_cast<std::uint32_t>(
      std::max(0, ::seccomp_syscall_resolve_name_arch(abi.token, name.c_str())));
}

bool denies(SeccompAction action) {
  return action == SeccompAction::Errno || action == SeccompAction::Trap ||
         action == SeccompAction::KillProcess;
}

[[noreturn]] void report(const oci::Seccomp& profile, const seccomp_data& call,
                         std::optional<std::uint32_t> answer, std::uint32_t right) {
  std::fprintf(stderr, "wrong answer %#x, not %#x: arch %#x call %d args", answer.value_or(0),
               right, call.arch, call.nr);
  for (const auto arg : call.args)
    std::fprintf(stderr, " %#llx", static_cast<unsigned long long>(arg));
  std::fprintf(stderr, "\n%s\n", oci::to_json(profile).c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in({data, size});
  const oci::Seccomp profile = profile_from(in);
  const auto filter = runtime::security::compile_filter(profile);
  if (!filter) std::abort();

  for (const Abi& abi : kAbis) {
    const bool in_profile = std::find(profile.architectures.begin(), profile.architectures.end(),
                                      abi.name) != profile.architectures.end();
    std::uint32_t largest = 0;
    for (const oci::SeccompSyscall& rule : profile.syscalls) {
      for (const std::string& name : rule.names) largest = std::max(largest, number_on(abi, name));
    }
    for (const char* name : kNames) {
      const std::uint32_t number = number_on(abi, name);
      if (number == 0 && name != std::string_view("read")) continue;
      for (int round = 0; round < 12; ++round) {
        seccomp_data call{};
        call.nr = static_cast<int>(number);
        call.arch = abi.audit_arch;
        for (auto& arg : call.args) arg = in.pick(kCorners) + in.below(3) - 1;
        std::uint32_t right = expected(profile, name, call, abi.width);
        if (largest != 0 && number > largest && denies(profile.default_action)) {
          right = SECCOMP_RET_ERRNO | ENOSYS;
        }
        if (!in_profile) right = SECCOMP_RET_KILL_THREAD;
        const auto answer = runtime::security::evaluate(*filter, call);
        if (answer != right) report(profile, call, answer, right);
      }
    }
  }
  return 0;
}
