// The filters of this project against those of libseccomp for the same profiles: both are run in
// user space over every system call number of every architecture, and over the corners of every
// argument that a rule looks at.
//
// Three differences are meant: numbers above every name of a strict profile get ENOSYS (as runc
// puts in front of libseccomp's filter), which is asked for here; what a condition means behind
// i386's multiplexers (seccomp_table.cpp, add_multiplexed()), which is left out; and of several
// rules of a call whose conditions hold the strictest answers, where libseccomp has the one with
// the first argument in its tree.
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "runtime/security/bpf_evaluator.hpp"
#include "runtime/security/seccomp.hpp"

namespace runtime::security {
namespace {

using oci::Seccomp;
using oci::SeccompAction;
using oci::SeccompArg;
using oci::SeccompOperator;
using oci::SeccompSyscall;
using Filter = std::vector<sock_filter>;

constexpr std::uint32_t kX32Bit = 0x40000000;

struct Arch {
  std::uint32_t token;
  std::uint32_t audit;
  std::uint32_t bit;
};
constexpr Arch kArchs[] = {{SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, 0},
                           {SCMP_ARCH_X86, AUDIT_ARCH_I386, 0},
                           {SCMP_ARCH_X32, AUDIT_ARCH_X86_64, kX32Bit}};

std::uint32_t action_of(SeccompAction action, const std::optional<std::uint32_t>& number) {
  switch (action) {
    case SeccompAction::KillProcess:
      return SCMP_ACT_KILL_PROCESS;
    case SeccompAction::Trap:
      return SCMP_ACT_TRAP;
    case SeccompAction::Errno:
      return SCMP_ACT_ERRNO(number.value_or(EPERM));
    case SeccompAction::Allow:
      return SCMP_ACT_ALLOW;
    case SeccompAction::Log:
      return SCMP_ACT_LOG;
    default:
      return SCMP_ACT_KILL;
  }
}

scmp_compare operator_of(SeccompOperator op) {
  constexpr scmp_compare kOperators[] = {SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE,       SCMP_CMP_EQ,
                                         SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ};
  return kOperators[static_cast<std::size_t>(op)];
}

using Compares = std::vector<scmp_arg_cmp>;

/// A rule that tests an argument twice is one rule for each test, as runc hands it over.
std::vector<Compares> alternatives(const std::vector<SeccompArg>& args) {
  std::vector<Compares> out(1);
  std::set<std::uint32_t> seen;
  bool is_twice = false;
  for (const SeccompArg& arg : args) {
    out[0].push_back({arg.index, operator_of(arg.op), arg.value, arg.value_two});
    if (!seen.insert(arg.index).second) is_twice = true;
  }
  if (!is_twice) return out;
  const Compares all = std::move(out[0]);
  out.clear();
  for (const scmp_arg_cmp& each : all) out.push_back({each});
  return out;
}

/// What libseccomp makes of the profile, the way that runc hands it over.
Filter reference(const Seccomp& profile) {
  const std::uint32_t otherwise = action_of(profile.default_action, profile.default_errno_ret);
  const std::unique_ptr<void, decltype(&::seccomp_release)> context(::seccomp_init(otherwise),
                                                                    &::seccomp_release);
  for (const Arch& arch : kArchs) {
    const int added = ::seccomp_arch_add(context.get(), arch.token);
    EXPECT_TRUE(added == 0 || added == -EEXIST);
  }
  for (const SeccompSyscall& rule : profile.syscalls) {
    const std::uint32_t action = action_of(rule.action, rule.errno_ret);
    if (action == otherwise) continue;
    for (const std::string& name : rule.names) {
      const int number = ::seccomp_syscall_resolve_name(name.c_str());
      if (number == __NR_SCMP_ERROR) continue;
      for (const Compares& each : alternatives(rule.args)) {
        const int added = ::seccomp_rule_add_array(context.get(), action, number,
                                                   static_cast<unsigned>(each.size()), each.data());
        EXPECT_EQ(added, 0) << name;
      }
    }
  }
  const base::UniqueFd file(::memfd_create("filter", MFD_CLOEXEC));
  EXPECT_EQ(::seccomp_export_bpf(context.get(), file.get()), 0);
  EXPECT_EQ(::lseek(file.get(), 0, SEEK_SET), 0);
  const std::string bytes = base::read_all(file.get(), 1 << 20, "filter").value_or("");
  Filter out(bytes.size() / sizeof(sock_filter));
  std::memcpy(out.data(), bytes.data(), out.size() * sizeof(sock_filter));
  return out;
}

/// Values around those that the profile compares argument `index` with.
std::vector<std::uint64_t> corners(const std::vector<SeccompArg>& args, std::uint32_t index) {
  std::set<std::uint64_t> out{0, UINT64_MAX, UINT64_C(0xffffffff)};
  for (const SeccompArg& arg : args) {
    if (arg.index != index) continue;
    for (const std::uint64_t value : {arg.value, arg.value_two}) {
      out.insert({value - 1, value, value + 1, value ^ (UINT64_C(1) << 32),
                  value ^ (UINT64_C(1) << 63), ~value, value & UINT64_C(0xffffffff)});
    }
  }
  return {out.begin(), out.end()};
}

class Comparison {
 public:
  explicit Comparison(const Seccomp& profile) : profile_(profile), reference_(reference(profile)) {
    auto program = compile_seccomp(profile, nullptr);
    EXPECT_TRUE(program);
    if (program) ours_ = std::move(program->filter);
  }

  /// How many calls were compared.
  std::size_t run() {
    for (const Arch& arch : kArchs) {
      enosys_above_ = largest_number(arch);
      for (std::uint32_t number = 0; number < 1200; ++number) compare_call(arch, number);
      for (const std::uint32_t number : {0x3fffffffU, 0x7fffffffU - kX32Bit}) {
        compare_call(arch, number);
      }
    }
    for (const std::uint32_t audit : {0U, std::uint32_t{AUDIT_ARCH_AARCH64}}) {
      compare(audit, 0, {}, false);
    }
    return compared_;
  }

 private:
  static std::string name_of(const Arch& arch, std::uint32_t number) {
    const std::unique_ptr<char, decltype(&::free)> name(
        ::seccomp_syscall_resolve_num_arch(arch.token, static_cast<int>(number | arch.bit)),
        &::free);
    return name ? name.get() : "";
  }

  std::uint32_t largest_number(const Arch& arch) const {
    std::uint32_t largest = 0;
    for (std::uint32_t number = 0; number < 1200; ++number) {
      const std::string name = name_of(arch, number);
      for (const SeccompSyscall& rule : profile_.syscalls) {
        if (std::ranges::find(rule.names, name) != rule.names.end()) largest = number;
      }
    }
    return largest;
  }

  bool has_conditions() const {
    return std::ranges::any_of(profile_.syscalls,
                               [](const SeccompSyscall& rule) { return !rule.args.empty(); });
  }

  std::vector<SeccompArg> conditions_on(const std::string& name) const {
    std::vector<SeccompArg> out;
    for (const SeccompSyscall& rule : profile_.syscalls) {
      if (std::ranges::find(rule.names, name) == rule.names.end()) continue;
      out.insert(out.end(), rule.args.begin(), rule.args.end());
    }
    return out;
  }

  void compare_call(const Arch& arch, std::uint32_t number) {
    const std::string name = name_of(arch, number);
    const bool is_multiplexer =
        arch.token == SCMP_ARCH_X86 && (name == "socketcall" || name == "ipc");
    if (is_multiplexer && has_conditions()) return;
    const bool is_new = number > enosys_above_ && profile_.default_action != SeccompAction::Allow &&
                        profile_.default_action != SeccompAction::Log;
    std::vector<SeccompArg> conditions = conditions_on(name);
    for (std::uint64_t selector = 0; is_multiplexer && selector < 26; ++selector) {
      conditions.push_back({0, selector, 0, SeccompOperator::EqualTo});
    }
    std::vector<std::array<std::uint64_t, 6>> calls(1);
    for (std::uint32_t index = 0; index < 6; ++index) {
      std::vector<std::array<std::uint64_t, 6>> more;
      const bool is_looked_at = std::ranges::any_of(
          conditions, [index](const SeccompArg& arg) { return arg.index == index; });
      for (const auto& call : calls) {
        for (const std::uint64_t value :
             is_looked_at ? corners(conditions, index) : std::vector<std::uint64_t>{number}) {
          more.push_back(call);
          more.back()[index] = value;
        }
      }
      calls = std::move(more);
    }
    for (const auto& call : calls) compare(arch.audit, number | arch.bit, call, is_new);
  }

  void compare(std::uint32_t audit, std::uint32_t number, const std::array<std::uint64_t, 6>& args,
               bool is_new) {
    seccomp_data call{};
    call.nr = static_cast<int>(number);
    call.arch = audit;
    std::ranges::copy(args, call.args);
    const std::optional<std::uint32_t> expected =
        is_new ? SECCOMP_RET_ERRNO | ENOSYS : evaluate(reference_, call);
    ++compared_;
    ASSERT_EQ(evaluate(ours_, call), expected) << "call " << number << " of " << audit << " with "
                                               << args[0] << ", " << args[1] << ", " << args[2];
  }

  const Seccomp& profile_;
  Filter reference_;
  Filter ours_;
  std::uint32_t enosys_above_ = 0;
  std::size_t compared_ = 0;
};

Seccomp empty_profile(SeccompAction otherwise) {
  Seccomp out;
  out.default_action = otherwise;
  out.architectures = {oci::SeccompArch::X86_64, oci::SeccompArch::X86, oci::SeccompArch::X32};
  return out;
}

/// Native calls that i386 has no second way to.
std::vector<std::string> plain_names() {
  std::vector<std::string> out;
  for (int number = 0; number < 450; ++number) {
    const std::unique_ptr<char, decltype(&::free)> name(
        ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number), &::free);
    if (!name) continue;
    const int other = ::seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, name.get());
    if (other >= 0) out.emplace_back(name.get());
  }
  return out;
}

/// The shape of the profiles that containerd, docker and podman start containers with.
TEST(SeccompEquivalence, AProfileAsContainerEnginesHaveIt) {
  Seccomp profile = empty_profile(SeccompAction::Errno);
  std::vector<std::string> names = plain_names();
  std::erase_if(names, [](const std::string& name) {
    return name == "personality" || name == "clone" || name == "clone3" || name == "bpf" ||
           name == "ptrace" || name == "keyctl";
  });
  ASSERT_GT(names.size(), 250U);
  profile.syscalls.push_back({names, SeccompAction::Allow, {}, {}});
  for (const std::uint64_t persona :
       {UINT64_C(0), UINT64_C(8), UINT64_C(0x20008), UINT64_C(0xffffffff)}) {
    profile.syscalls.push_back(
        {{"personality"}, SeccompAction::Allow, {}, {{0, persona, 0, SeccompOperator::EqualTo}}});
  }
  profile.syscalls.push_back(
      {{"clone"}, SeccompAction::Allow, {}, {{0, 0x7E020000, 0, SeccompOperator::MaskedEqual}}});
  profile.syscalls.push_back({{"clone3"}, SeccompAction::Errno, ENOSYS, {}});
  EXPECT_GT(Comparison(profile).run(), 3600U);
}

TEST(SeccompEquivalence, EveryOperatorWithCornersInBothHalves) {
  for (const std::uint64_t value :
       {UINT64_C(0), UINT64_C(1), UINT64_C(0x7fffffff), UINT64_C(0x80000000), UINT64_C(0xffffffff),
        UINT64_C(0x100000000), UINT64_C(0x8000000000000000), UINT64_MAX}) {
    for (int op = 0; op <= static_cast<int>(SeccompOperator::MaskedEqual); ++op) {
      Seccomp profile = empty_profile(SeccompAction::Errno);
      profile.syscalls.push_back(
          {{"lseek", "getpid"},
           SeccompAction::Allow,
           {},
           {{1, value, value & UINT64_C(0x5555555555555555), static_cast<SeccompOperator>(op)}}});
      Comparison(profile).run();
      if (HasFatalFailure()) FAIL() << "operator " << op << " with " << value;
    }
  }
}

TEST(SeccompEquivalence, AMaskedValueWithBitsBesideTheMask) {
  Seccomp profile = empty_profile(SeccompAction::Errno);
  profile.syscalls.push_back(
      {{"lseek"}, SeccompAction::Allow, {}, {{1, 0xff00, 0x1234, SeccompOperator::MaskedEqual}}});
  Comparison(profile).run();
}

TEST(SeccompEquivalence, CallsBehindMultiplexers) {
  Seccomp profile = empty_profile(SeccompAction::Errno);
  profile.syscalls.push_back(
      {{"connect", "sendmmsg", "accept", "shmat", "semctl"}, SeccompAction::Allow, {}, {}});
  profile.syscalls.push_back({{"socket", "msgget"}, SeccompAction::KillProcess, {}, {}});
  EXPECT_GT(Comparison(profile).run(), 3600U);
}

TEST(SeccompEquivalence, AnArgumentThatIsTestedTwice) {
  Seccomp profile = empty_profile(SeccompAction::Errno);
  profile.syscalls.push_back(
      {{"lseek"},
       SeccompAction::Allow,
       {},
       {{1, 100, 0, SeccompOperator::GreaterThan}, {1, 50, 0, SeccompOperator::LessThan}}});
  Comparison(profile).run();
}

/// What holds always goes before conditions, whichever comes first.
TEST(SeccompEquivalence, SeveralRulesForOneCall) {
  const SeccompSyscall always{{"lseek"}, SeccompAction::Errno, 5, {}};
  const SeccompSyscall later{{"lseek"}, SeccompAction::Errno, 7, {}};
  const SeccompSyscall sometimes{
      {"lseek"}, SeccompAction::Allow, {}, {{1, 100, 0, SeccompOperator::GreaterThan}}};
  const SeccompSyscall strictly{
      {"lseek"}, SeccompAction::KillProcess, {}, {{1, 3, 0, SeccompOperator::EqualTo}}};
  const std::vector<std::vector<SeccompSyscall>> cases = {
      {always, later},       {always, sometimes},   {sometimes, always},
      {sometimes, strictly}, {strictly, sometimes}, {strictly, sometimes, always}};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    Seccomp profile = empty_profile(SeccompAction::Log);
    profile.syscalls = cases[i];
    Comparison(profile).run();
    if (HasFatalFailure()) FAIL() << "case " << i;
  }
}

TEST(SeccompEquivalence, OfRulesThatHoldTogetherTheStrictestAnswers) {
  const SeccompSyscall mild{
      {"lseek"}, SeccompAction::Allow, {}, {{1, 100, 0, SeccompOperator::GreaterThan}}};
  const SeccompSyscall strict{
      {"lseek"}, SeccompAction::KillProcess, {}, {{0, 3, 0, SeccompOperator::EqualTo}}};
  for (const bool is_mild_first : {false, true}) {
    Seccomp profile = empty_profile(SeccompAction::Errno);
    profile.syscalls = {is_mild_first ? mild : strict, is_mild_first ? strict : mild};
    const auto program = compile_seccomp(profile, nullptr);
    ASSERT_TRUE(program);
    const auto answer = [&program](std::uint64_t first, std::uint64_t second) {
      seccomp_data call{};
      call.nr = ::seccomp_syscall_resolve_name("lseek");
      call.arch = AUDIT_ARCH_X86_64;
      call.args[0] = first;
      call.args[1] = second;
      return evaluate(program->filter, call);
    };
    EXPECT_EQ(answer(3, 101), SECCOMP_RET_KILL_PROCESS);
    EXPECT_EQ(answer(3, 1), SECCOMP_RET_KILL_PROCESS);
    EXPECT_EQ(answer(4, 101), SECCOMP_RET_ALLOW);
    EXPECT_EQ(answer(4, 1), SECCOMP_RET_ERRNO | EPERM);
  }
}

/// Random profiles: any actions, names, and conditions on up to two arguments, one rule a name.
TEST(SeccompEquivalence, RandomProfiles) {
  const std::vector<std::string> names = plain_names();
  constexpr SeccompAction kActions[] = {SeccompAction::Allow, SeccompAction::Errno,
                                        SeccompAction::Log, SeccompAction::KillProcess,
                                        SeccompAction::Trap};
  std::mt19937 random(20240);  // the same ones each time
  const auto below = [&random](std::size_t end) { return std::size_t{random()} % end; };
  for (int round = 0; round < 60; ++round) {
    Seccomp profile = empty_profile(kActions[below(std::size(kActions))]);
    std::vector<std::string> left = names;
    std::ranges::shuffle(left, random);
    for (std::size_t rules = 1 + below(12); rules > 0; --rules) {
      SeccompSyscall rule;
      for (std::size_t count = 1 + below(8); count > 0; --count) {
        rule.names.push_back(std::move(left.back()));
        left.pop_back();
      }
      rule.action = kActions[below(std::size(kActions))];
      rule.errno_ret = static_cast<std::uint32_t>(below(130));
      for (std::uint32_t index = 0; index < 6 && rule.args.size() < 2; ++index) {
        if (below(3) != 0) continue;
        const std::uint64_t value = random() | (std::uint64_t{below(2) * random()} << 32);
        rule.args.push_back(
            {index, value, random() & value, static_cast<SeccompOperator>(below(7))});
      }
      profile.syscalls.push_back(std::move(rule));
    }
    Comparison(profile).run();
    if (HasFatalFailure()) FAIL() << "round " << round;
  }
}

}  // namespace
}  // namespace runtime::security
