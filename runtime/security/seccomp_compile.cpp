// From profile to filter by libseccomp, with runc's reading of the profile
// (libcontainer/seccomp/seccomp_linux.go): rules that say what the default says are left out,
// conditions on one argument twice are alternatives.
#include "runtime/security/seccomp_compile.hpp"

#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>

#include "base/file.hpp"
#include "oci/names.hpp"
#include "runtime/security/seccomp_enosys.hpp"

namespace runtime::security {
namespace {

struct Release {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

/// libseccomp returns negative errnos.
std::unexpected<base::Error> libseccomp_error(std::string_view call, std::string_view subject,
                                              int code) {
  return std::unexpected(base::Error(call, subject, -code));
}

// In the order of oci::SeccompArch; 0: not known to libseccomp 2.5.
constexpr std::uint32_t kArchs[] = {SCMP_ARCH_X86,
                                    SCMP_ARCH_X86_64,
                                    SCMP_ARCH_X32,
                                    SCMP_ARCH_ARM,
                                    SCMP_ARCH_AARCH64,
                                    SCMP_ARCH_MIPS,
                                    SCMP_ARCH_MIPS64,
                                    SCMP_ARCH_MIPS64N32,
                                    SCMP_ARCH_MIPSEL,
                                    SCMP_ARCH_MIPSEL64,
                                    SCMP_ARCH_MIPSEL64N32,
                                    SCMP_ARCH_PPC,
                                    SCMP_ARCH_PPC64,
                                    SCMP_ARCH_PPC64LE,
                                    SCMP_ARCH_S390,
                                    SCMP_ARCH_S390X,
                                    SCMP_ARCH_PARISC,
                                    SCMP_ARCH_PARISC64,
                                    SCMP_ARCH_RISCV64,
                                    0,
                                    0,
                                    0,
                                    0};

// In the order of oci::SeccompOperator.
constexpr scmp_compare kOperators[] = {SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE,       SCMP_CMP_EQ,
                                       SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ};

template <typename E, typename T, std::size_t kSize>
T number_of(E value, const T (&table)[kSize]) {
  return std::span<const T, kSize>(table)[static_cast<std::size_t>(value)];
}

std::uint32_t action_of(oci::SeccompAction action, const std::optional<std::uint32_t>& errno_ret) {
  const std::uint32_t value = errno_ret.value_or(EPERM) & 0xFFFF;
  switch (action) {
    case oci::SeccompAction::Kill:
    case oci::SeccompAction::KillThread:
      return SCMP_ACT_KILL_THREAD;
    case oci::SeccompAction::KillProcess:
      return SCMP_ACT_KILL_PROCESS;
    case oci::SeccompAction::Trap:
      return SCMP_ACT_TRAP;
    case oci::SeccompAction::Errno:
      return SCMP_ACT_ERRNO(value);
    case oci::SeccompAction::Trace:
      return SCMP_ACT_TRACE(value);
    case oci::SeccompAction::Allow:
      return SCMP_ACT_ALLOW;
    case oci::SeccompAction::Log:
      return SCMP_ACT_LOG;
    case oci::SeccompAction::Notify:
      return SCMP_ACT_NOTIFY;
  }
  return SCMP_ACT_KILL_PROCESS;
}

base::Result<void> add_architectures(void* filter, const oci::Seccomp& profile) {
  for (const oci::SeccompArch arch : profile.architectures) {
    const std::uint32_t token = number_of(arch, kArchs);
    if (token == 0) {
      return base::fail(base::ErrorKind::Unsupported,
                        "seccomp architecture " + std::string(oci::name_of(arch)));
    }
    // The native one is in every filter from the start.
    if (const int code = ::seccomp_arch_add(filter, token); code != 0 && code != -EEXIST) {
      return libseccomp_error("seccomp_arch_add", oci::name_of(arch), code);
    }
  }
  return {};
}

scmp_arg_cmp condition_of(const oci::SeccompArg& arg) {
  return {arg.index, number_of(arg.op, kOperators), arg.value, arg.value_two};
}

bool tests_an_argument_twice(const std::vector<oci::SeccompArg>& args) {
  unsigned seen = 0;
  for (const oci::SeccompArg& arg : args) {
    const unsigned bit = 1U << std::min(arg.index, 31U);
    if ((seen & bit) != 0) return true;
    seen |= bit;
  }
  return false;
}

base::Result<void> add_conditions(void* filter, std::uint32_t action, const std::string& name,
                                  int number, std::span<const scmp_arg_cmp> conditions) {
  const int code = ::seccomp_rule_add_array(
      filter, action, number, static_cast<unsigned>(conditions.size()), conditions.data());
  if (code == 0 || code == -EEXIST) return {};
  return libseccomp_error("seccomp_rule_add", name, code);
}

base::Result<void> add_rule(void* filter, const oci::SeccompSyscall& rule,
                            std::uint32_t default_action) {
  const std::uint32_t action = action_of(rule.action, rule.errno_ret);
  if (action == default_action) return {};
  std::vector<scmp_arg_cmp> conditions;
  for (const oci::SeccompArg& arg : rule.args) conditions.push_back(condition_of(arg));
  const bool alternatives = tests_an_argument_twice(rule.args);
  for (const std::string& name : rule.names) {
    const int number = ::seccomp_syscall_resolve_name(name.c_str());
    if (number == __NR_SCMP_ERROR) continue;
    if (!alternatives) {
      TRY(add_conditions(filter, action, name, number, conditions));
      continue;
    }
    for (const scmp_arg_cmp& condition : conditions) {
      TRY(add_conditions(filter, action, name, number, std::span(&condition, 1)));
    }
  }
  return {};
}

base::Result<std::vector<sock_filter>> exported(void* filter) {
  const base::UniqueFd memory(::memfd_create("seccomp", MFD_CLOEXEC));
  if (!memory) return base::fail_errno("memfd_create", "seccomp");
  if (const int code = ::seccomp_export_bpf(filter, memory.get()); code != 0) {
    return libseccomp_error("seccomp_export_bpf", "", code);
  }
  if (::lseek(memory.get(), 0, SEEK_SET) != 0) return base::fail_errno("lseek", "seccomp");
  const std::string bytes =
      TRY(base::read_all(memory.get(), BPF_MAXINSNS * sizeof(sock_filter), "seccomp filter"));
  std::vector<sock_filter> program(bytes.size() / sizeof(sock_filter));
  std::memcpy(program.data(), bytes.data(), program.size() * sizeof(sock_filter));
  return program;
}

/// The largest number that a name of the profile has on each architecture.
std::vector<LargestSyscall> largest_syscalls(const oci::Seccomp& profile) {
  std::vector<std::uint32_t> archs = {::seccomp_arch_native()};
  for (const oci::SeccompArch arch : profile.architectures) {
    const std::uint32_t token = number_of(arch, kArchs);
    if (std::find(archs.begin(), archs.end(), token) == archs.end()) archs.push_back(token);
  }
  std::vector<LargestSyscall> out;
  for (const std::uint32_t arch : archs) {
    int largest = 0;
    for (const oci::SeccompSyscall& rule : profile.syscalls) {
      for (const std::string& name : rule.names) {
        largest = std::max(largest, ::seccomp_syscall_resolve_name_arch(arch, name.c_str()));
      }
    }
    if (largest != 0) out.push_back({arch, static_cast<std::uint32_t>(largest)});
  }
  return out;
}

bool needs_enosys_stub(const oci::Seccomp& profile) {
  switch (profile.default_action) {
    case oci::SeccompAction::Allow:
    case oci::SeccompAction::Log:
    case oci::SeccompAction::Trace:
      return false;
    default:
      return !(profile.default_action == oci::SeccompAction::Errno &&
               profile.default_errno_ret == ENOSYS);
  }
}

}  // namespace

std::string libseccomp_version() {
  const scmp_version* version = ::seccomp_version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->micro);
}

base::Result<std::vector<sock_filter>> compile_filter(const oci::Seccomp& profile) {
  const std::uint32_t default_action = action_of(profile.default_action, profile.default_errno_ret);
  const Filter filter(::seccomp_init(default_action));
  if (!filter) {
    return base::fail(
        base::ErrorKind::Unsupported,
        "seccomp default action " + std::string(oci::name_of(profile.default_action)));
  }
  TRY(add_architectures(filter.get(), profile));
  // A binary tree over the numbers instead of a list, as runc; libseccomp <= 2.5.4 makes a wrong
  // program of a tree without rules.
  std::size_t names = 0;
  for (const oci::SeccompSyscall& rule : profile.syscalls) names += rule.names.size();
  if (names > 32) (void)::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  for (const oci::SeccompSyscall& rule : profile.syscalls) {
    TRY(add_rule(filter.get(), rule, default_action));
  }
  std::vector<sock_filter> program = TRY(exported(filter.get()));
  if (!needs_enosys_stub(profile)) return program;
  std::vector<sock_filter> out = enosys_stub(largest_syscalls(profile));
  out.insert(out.end(), program.begin(), program.end());
  if (out.size() > BPF_MAXINSNS) {
    return base::fail(
        base::ErrorKind::LimitExceeded,
        "seccomp filter of more than " + std::to_string(BPF_MAXINSNS) + " instructions");
  }
  return out;
}

}  // namespace runtime::security
