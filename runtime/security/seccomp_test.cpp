#include "runtime/security/seccomp.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>

#include "runtime/security/bpf_evaluator.hpp"
#include "runtime/security/in_child.hpp"

namespace runtime::security {
namespace {

using oci::Seccomp;
using oci::SeccompAction;
using oci::SeccompArch;
using oci::SeccompOperator;
using oci::SeccompSyscall;

constexpr std::uint32_t kX32Bit = 0x40000000;

std::optional<std::uint32_t> answer(const SeccompProgram& program, long number,
                                    std::initializer_list<std::uint64_t> args = {},
                                    std::uint32_t arch = AUDIT_ARCH_X86_64) {
  seccomp_data call{};
  call.nr = static_cast<int>(number);
  call.arch = arch;
  std::size_t i = 0;
  for (const std::uint64_t arg : args) call.args[i++] = arg;
  return evaluate(program.filter, call);
}

SeccompProgram compiled(const Seccomp& profile) {
  auto program = compile_seccomp(profile, nullptr);
  EXPECT_TRUE(program) << program.error().message();
  return program ? *std::move(program) : SeccompProgram{};
}

Seccomp allow_list(std::vector<std::string> names) {
  Seccomp profile;
  profile.default_action = SeccompAction::Errno;
  profile.architectures = {SeccompArch::X86_64, SeccompArch::X86, SeccompArch::X32};
  profile.syscalls = {{std::move(names), SeccompAction::Allow, {}, {}}};
  return profile;
}

constexpr std::uint32_t kEperm = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kEnosys = SECCOMP_RET_ERRNO | ENOSYS;

TEST(CompileSeccomp, AnAllowListAllowsItsNamesOnEveryArchitecture) {
  const SeccompProgram program = compiled(allow_list({"read", "write", "openat2"}));
  EXPECT_EQ(answer(program, SYS_read), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, SYS_openat2), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, SYS_mount), kEperm);
  EXPECT_EQ(answer(program, 3, {}, AUDIT_ARCH_I386), SECCOMP_RET_ALLOW);  // read
  EXPECT_EQ(answer(program, 21, {}, AUDIT_ARCH_I386), kEperm);            // mount
  EXPECT_EQ(answer(program, kX32Bit | 0), SECCOMP_RET_ALLOW);             // read
  EXPECT_EQ(answer(program, kX32Bit | SYS_mount), kEperm);
}

TEST(CompileSeccomp, CallsNewerThanTheProfileGiveEnosys) {
  const SeccompProgram program = compiled(allow_list({"read", "openat2"}));
  EXPECT_EQ(answer(program, SYS_openat2), SECCOMP_RET_ALLOW);  // the newest of the profile
  EXPECT_EQ(answer(program, SYS_openat2, {}, AUDIT_ARCH_I386), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, kX32Bit | SYS_openat2), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, SYS_openat2 + 1), kEnosys);
  EXPECT_EQ(answer(program, 100000), kEnosys);
  EXPECT_EQ(answer(program, 100000, {}, AUDIT_ARCH_I386), kEnosys);
  EXPECT_EQ(answer(program, kX32Bit | 100000), kEnosys);
  EXPECT_EQ(answer(program, SYS_mount), kEperm);
}

TEST(CompileSeccomp, APermissiveDefaultNeedsNoEnosys) {
  Seccomp profile;
  profile.default_action = SeccompAction::Allow;
  profile.syscalls = {{{"mount"}, SeccompAction::Errno, EACCES, {}}};
  const SeccompProgram program = compiled(profile);
  EXPECT_EQ(answer(program, SYS_mount), SECCOMP_RET_ERRNO | EACCES);
  EXPECT_EQ(answer(program, 100000), SECCOMP_RET_ALLOW);
}

TEST(CompileSeccomp, AnArchitectureThatTheProfileLacksIsKilled) {
  Seccomp profile = allow_list({"read"});
  profile.architectures = {SeccompArch::X86_64};
  const SeccompProgram program = compiled(profile);
  EXPECT_EQ(answer(program, 3, {}, AUDIT_ARCH_I386), SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(answer(program, kX32Bit | 0), SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(answer(program, SYS_read), SECCOMP_RET_ALLOW);
}

TEST(CompileSeccomp, TheDefaultErrnoCanBeSet) {
  Seccomp profile = allow_list({"read", "openat2"});
  profile.default_errno_ret = EXDEV;
  EXPECT_EQ(answer(compiled(profile), SYS_mount), SECCOMP_RET_ERRNO | EXDEV);
  profile.default_errno_ret = ENOSYS;
  EXPECT_EQ(answer(compiled(profile), SYS_mount), kEnosys);
}

TEST(CompileSeccomp, ConditionsOnDifferentArgumentsMustAllHold) {
  Seccomp profile = allow_list({"read"});
  profile.syscalls.push_back(
      {{"socket"},
       SeccompAction::Allow,
       {},
       {{0, AF_UNIX, 0, SeccompOperator::EqualTo}, {2, 0, 0, SeccompOperator::EqualTo}}});
  const SeccompProgram program = compiled(profile);
  EXPECT_EQ(answer(program, SYS_socket, {AF_UNIX, 1, 0}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, SYS_socket, {AF_UNIX, 1, 1}), kEperm);
  EXPECT_EQ(answer(program, SYS_socket, {AF_INET, 1, 0}), kEperm);
}

TEST(CompileSeccomp, ConditionsOnOneArgumentAreAlternatives) {
  Seccomp profile = allow_list({"read"});
  profile.syscalls.push_back(
      {{"personality"},
       SeccompAction::Allow,
       {},
       {{0, 0, 0, SeccompOperator::EqualTo}, {0, 8, 0, SeccompOperator::EqualTo}}});
  const SeccompProgram program = compiled(profile);
  EXPECT_EQ(answer(program, SYS_personality, {0}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, SYS_personality, {8}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, SYS_personality, {4}), kEperm);
}

TEST(CompileSeccomp, EveryOperatorComparesAll64Bits) {
  constexpr std::uint64_t kPivot = 0x1'8000'0001;
  const std::uint64_t values[] = {0,         1, kPivot - 1, kPivot, kPivot + 1, kPivot & 0xFFFFFFFF,
                                  UINT64_MAX};
  const auto holds = [](SeccompOperator op, std::uint64_t value) {
    switch (op) {
      case SeccompOperator::NotEqual:
        return value != kPivot;
      case SeccompOperator::LessThan:
        return value < kPivot;
      case SeccompOperator::LessEqual:
        return value <= kPivot;
      case SeccompOperator::EqualTo:
        return value == kPivot;
      case SeccompOperator::GreaterEqual:
        return value >= kPivot;
      case SeccompOperator::GreaterThan:
        return value > kPivot;
      case SeccompOperator::MaskedEqual:
        return (value & kPivot) == 0x8000'0001;
    }
    return false;
  };
  for (int op = 0; op <= static_cast<int>(SeccompOperator::MaskedEqual); ++op) {
    const auto compare = static_cast<SeccompOperator>(op);
    Seccomp profile = allow_list({"read"});
    profile.syscalls.push_back(
        {{"write"}, SeccompAction::Allow, {}, {{3, kPivot, 0x8000'0001, compare}}});
    const SeccompProgram program = compiled(profile);
    for (const std::uint64_t value : values) {
      EXPECT_EQ(answer(program, SYS_write, {0, 0, 0, value}) == SECCOMP_RET_ALLOW,
                holds(compare, value))
          << "operator " << op << " value " << value;
    }
  }
}

TEST(CompileSeccomp, EveryActionBecomesTheKernels) {
  const std::pair<SeccompAction, std::uint32_t> actions[] = {
      {SeccompAction::Kill, SECCOMP_RET_KILL_THREAD},
      {SeccompAction::KillThread, SECCOMP_RET_KILL_THREAD},
      {SeccompAction::KillProcess, SECCOMP_RET_KILL_PROCESS},
      {SeccompAction::Trap, SECCOMP_RET_TRAP},
      {SeccompAction::Errno, kEperm},
      {SeccompAction::Trace, SECCOMP_RET_TRACE | EPERM},
      {SeccompAction::Log, SECCOMP_RET_LOG},
      {SeccompAction::Notify, SECCOMP_RET_USER_NOTIF},
  };
  for (const auto& [action, expected] : actions) {
    Seccomp profile;
    profile.default_action = SeccompAction::Allow;
    profile.syscalls = {{{"mount"}, action, {}, {}}};
    const SeccompProgram program = compiled(profile);
    EXPECT_EQ(answer(program, SYS_mount), expected);
    EXPECT_EQ((program.flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0,
              action == SeccompAction::Notify);
  }
}

TEST(CompileSeccomp, UnknownNamesAreLeftOut) {
  const SeccompProgram program = compiled(allow_list({"read", "no_such_call"}));
  EXPECT_EQ(answer(program, SYS_read), SECCOMP_RET_ALLOW);
}

TEST(CompileSeccomp, ArchitecturesOfOtherMachinesChangeNothing) {
  Seccomp profile = allow_list({"read"});
  const std::size_t size = compiled(profile).filter.size();
  profile.architectures.push_back(SeccompArch::Loongarch64);
  profile.architectures.push_back(SeccompArch::Aarch64);
  EXPECT_EQ(compiled(profile).filter.size(), size);
}

TEST(CompileSeccomp, ARuleWithoutConditionsBeatsThoseWith) {
  Seccomp profile = allow_list({"read"});
  profile.syscalls.push_back(
      {{"read"}, SeccompAction::Trap, {}, {{0, 1, 0, SeccompOperator::EqualTo}}});
  EXPECT_EQ(answer(compiled(profile), SYS_read, {1}), SECCOMP_RET_ALLOW);
}

TEST(CompileSeccomp, TheStrictestOfTheRulesThatHoldCounts) {
  Seccomp profile = allow_list({"write"});
  profile.syscalls.push_back(
      {{"read"}, SeccompAction::Allow, {}, {{0, 5, 0, SeccompOperator::LessEqual}}});
  profile.syscalls.push_back(
      {{"read"}, SeccompAction::Trap, {}, {{0, 3, 0, SeccompOperator::EqualTo}}});
  const SeccompProgram program = compiled(profile);
  EXPECT_EQ(answer(program, SYS_read, {2}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, SYS_read, {3}), SECCOMP_RET_TRAP);
  EXPECT_EQ(answer(program, SYS_read, {6}), kEperm);
}

TEST(CompileSeccomp, SocketCallsOfI386AlsoPassThroughTheirMultiplexer) {
  Seccomp profile = allow_list({"connect", "shmget"});
  const SeccompProgram program = compiled(profile);
  constexpr int kSocketcall = 102;
  constexpr int kIpc = 117;
  EXPECT_EQ(answer(program, 362, {}, AUDIT_ARCH_I386), SECCOMP_RET_ALLOW);  // connect
  EXPECT_EQ(answer(program, kSocketcall, {3}, AUDIT_ARCH_I386), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, kSocketcall, {2}, AUDIT_ARCH_I386), kEperm);
  EXPECT_EQ(answer(program, kIpc, {23}, AUDIT_ARCH_I386), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, kIpc, {24}, AUDIT_ARCH_I386), kEperm);
}

TEST(CompileSeccomp, AConditionThatAMultiplexerHidesNeverOpensIt) {
  Seccomp profile = allow_list({"read"});
  profile.syscalls.push_back(
      {{"socket"}, SeccompAction::Allow, {}, {{1, 1, 0, SeccompOperator::EqualTo}}});
  EXPECT_EQ(answer(compiled(profile), 102, {1, 1}, AUDIT_ARCH_I386), kEperm);
  profile.syscalls.back().action = SeccompAction::KillProcess;
  EXPECT_EQ(answer(compiled(profile), 102, {1, 1}, AUDIT_ARCH_I386), SECCOMP_RET_KILL_PROCESS);
}

TEST(CompileSeccomp, ACallCostsFewInstructions) {
  std::vector<std::string> names;
  for (int number = 0; number < 330; number += 2) {
    char* name = ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number);
    if (name != nullptr) names.emplace_back(name);
    ::free(name);
  }
  ASSERT_GT(names.size(), 150U);
  const SeccompProgram program = compiled(allow_list(names));
  EXPECT_LT(program.filter.size(), 2500U);
  for (int number = 0; number < 329; ++number) {
    EXPECT_EQ(answer(program, number), number % 2 == 0 ? SECCOMP_RET_ALLOW : kEperm) << number;
  }
}

TEST(CompileSeccomp, AProfileThatMakesTooLongAFilterIsRefused) {
  Seccomp profile = allow_list({"read"});
  for (std::uint64_t value = 0; value < 1000; ++value) {
    profile.syscalls.push_back(
        {{"write"}, SeccompAction::Allow, {}, {{0, value, 0, SeccompOperator::EqualTo}}});
  }
  const auto refused = compile_seccomp(profile, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), base::ErrorKind::LimitExceeded);
}

TEST(CompileSeccomp, FlagsAreTheProfilesOrTheDefault) {
  Seccomp profile = allow_list({"read"});
  EXPECT_EQ(compiled(profile).flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
  profile.flags.emplace();
  EXPECT_EQ(compiled(profile).flags, 0U);
  profile.flags = {oci::SeccompFlag::Log, oci::SeccompFlag::Tsync};
  EXPECT_EQ(compiled(profile).flags, SECCOMP_FILTER_FLAG_LOG);
  profile.flags = {oci::SeccompFlag::WaitKillableRecv};
  EXPECT_EQ(compiled(profile).flags, 0U);  // means nothing without a listener
  profile.syscalls[0].action = SeccompAction::Notify;
  EXPECT_EQ(compiled(profile).flags,
            SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV | SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

TEST(InstallSeccomp, TheKernelAnswersAsTheFilterSays) {
  Seccomp profile;
  profile.default_action = SeccompAction::Allow;
  profile.syscalls = {{{"mkdirat"}, SeccompAction::Errno, ENOTNAM, {}}};
  const SeccompProgram program = compiled(profile);
  EXPECT_EQ(in_child([&]() -> std::string {
              if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "no_new_privs";
              const auto listener = install_seccomp(program);
              if (!listener) return listener.error().message();
              if (*listener) return "unexpected listener";
              return ::mkdirat(AT_FDCWD, "/tmp/never", 0700) == -1 && errno == ENOTNAM ? "denied"
                                                                                       : "allowed";
            }),
            "denied");
}

TEST(InstallSeccomp, ARuleThatNotifiesGivesAListenerThatExecCloses) {
  Seccomp profile;
  profile.default_action = SeccompAction::Allow;
  profile.syscalls = {{{"mkdirat"}, SeccompAction::Notify, {}, {}}};
  const SeccompProgram program = compiled(profile);
  EXPECT_EQ(in_child([&]() -> std::string {
              if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "no_new_privs";
              const auto listener = install_seccomp(program);
              if (!listener) return listener.error().message();
              return (::fcntl(listener->get(), F_GETFD) & FD_CLOEXEC) != 0 ? "listener" : "leaks";
            }),
            "listener");
}

TEST(InstallSeccomp, AProgramThatTheKernelRefusesIsAnError) {
  SeccompProgram program;
  program.filter = {sock_filter{BPF_JMP | BPF_JA, 0, 0, 100}};
  EXPECT_EQ(in_child([&]() -> std::string {
              ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
              const auto listener = install_seccomp(program);
              return listener ? "installed" : listener.error().message();
            }),
            "seccomp set filter: invalid argument");
}

}  // namespace
}  // namespace runtime::security
