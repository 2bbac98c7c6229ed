// The program is run by a small interpreter of the instructions that it uses, so that no test needs
// the right to load it; the kernel's verifier sees it in cgroup_test.cpp.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <random>

#include "runtime/cgroup/device_rules.hpp"

namespace runtime::cgroup {
namespace {

using oci::DeviceRule;
using oci::DeviceRuleType;

struct Request {
  std::uint32_t type;
  std::uint32_t access;
  std::uint32_t major;
  std::uint32_t minor;
};

bool allows(const std::vector<bpf_insn>& program, const Request& request) {
  const std::uint32_t context[] = {request.access << 16 | request.type, request.major,
                                   request.minor};
  std::uint64_t registers[11] = {};
  for (std::size_t pc = 0; pc < program.size(); ++pc) {
    const bpf_insn& now = program[pc];
    std::uint64_t& to = registers[now.dst_reg];
    const auto immediate = static_cast<std::uint32_t>(now.imm);
    switch (now.code) {
      case BPF_LDX | BPF_W | BPF_MEM:
        to = context[now.off / 4];
        break;
      case BPF_ALU | BPF_MOV | BPF_K:
        to = immediate;
        break;
      case BPF_ALU | BPF_MOV | BPF_X:
        to = static_cast<std::uint32_t>(registers[now.src_reg]);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        to = static_cast<std::uint32_t>(to) & immediate;
        break;
      case BPF_ALU | BPF_RSH | BPF_K:
        to = static_cast<std::uint32_t>(to) >> immediate;
        break;
      case BPF_JMP32 | BPF_JNE | BPF_K:
        if (static_cast<std::uint32_t>(to) != immediate) pc += static_cast<std::size_t>(now.off);
        break;
      case BPF_JMP32 | BPF_JEQ | BPF_K:
        if (static_cast<std::uint32_t>(to) == immediate) pc += static_cast<std::size_t>(now.off);
        break;
      case BPF_JMP | BPF_EXIT:
        return registers[0] != 0;
      default:
        ADD_FAILURE() << "instruction " << int{now.code};
        return false;
    }
  }
  ADD_FAILURE() << "the program does not end";
  return false;
}

// The specification in its plainest form, one kind of access at a time.
bool should_allow(const std::vector<DeviceRule>& rules, const Request& request) {
  const char letters[] = {'m', 'r', 'w'};
  for (std::uint32_t bit = 0; bit < 3; ++bit) {
    if ((request.access & (1u << bit)) == 0) continue;
    bool allowed = false;
    for (const DeviceRule& rule : rules) {
      if (rule.type == DeviceRuleType::Char && request.type != BPF_DEVCG_DEV_CHAR) continue;
      if (rule.type == DeviceRuleType::Block && request.type != BPF_DEVCG_DEV_BLOCK) continue;
      if (rule.major && *rule.major != request.major) continue;
      if (rule.minor && *rule.minor != request.minor) continue;
      if (!rule.access.empty() && !rule.access.contains(letters[bit])) continue;
      allowed = rule.allow;
    }
    if (!allowed) return false;
  }
  return true;
}

constexpr std::uint32_t kRead = BPF_DEVCG_ACC_READ;
constexpr std::uint32_t kWrite = BPF_DEVCG_ACC_WRITE;

TEST(DeviceProgram, WithoutRulesNothingIsAllowed) {
  EXPECT_FALSE(allows(compile_device_program({}), {BPF_DEVCG_DEV_CHAR, kRead, 1, 3}));
}

TEST(DeviceProgram, TheDefaultsAllowNullButNoDisk) {
  const auto program = compile_device_program(default_device_rules());

  EXPECT_TRUE(allows(program, {BPF_DEVCG_DEV_CHAR, kRead | kWrite, 1, 3}));
  EXPECT_TRUE(allows(program, {BPF_DEVCG_DEV_BLOCK, BPF_DEVCG_ACC_MKNOD, 8, 0}));
  EXPECT_FALSE(allows(program, {BPF_DEVCG_DEV_BLOCK, kRead, 8, 0}));
  EXPECT_FALSE(allows(program, {BPF_DEVCG_DEV_CHAR, kRead, 1, 1}));
}

TEST(DeviceProgram, RightsOfTwoRulesAddUp) {
  const std::vector<DeviceRule> rules{{true, DeviceRuleType::Char, 1, 3, "r"},
                                      {true, DeviceRuleType::Char, 1, 3, "w"}};

  EXPECT_TRUE(allows(compile_device_program(rules), {BPF_DEVCG_DEV_CHAR, kRead | kWrite, 1, 3}));
}

TEST(DeviceProgram, ADeniedPartDeniesTheWholeRequest) {
  const std::vector<DeviceRule> rules{{true, DeviceRuleType::All, {}, {}, "rwm"},
                                      {false, DeviceRuleType::Char, 1, 3, "w"}};

  EXPECT_FALSE(allows(compile_device_program(rules), {BPF_DEVCG_DEV_CHAR, kRead | kWrite, 1, 3}));
}

TEST(DeviceProgram, AgreesWithThePlainReadingOfRandomRules) {
  std::mt19937 random(1);
  const auto below = [&](unsigned bound) { return static_cast<unsigned>(random() % bound); };
  for (int round = 0; round < 2000; ++round) {
    std::vector<DeviceRule> rules(below(6));
    for (DeviceRule& rule : rules) {
      rule.allow = below(2) == 0;
      rule.type = static_cast<DeviceRuleType>(below(3));
      if (below(2) == 0) rule.major = below(3);
      if (below(2) == 0) rule.minor = below(3);
      for (const char letter : {'r', 'w', 'm'}) {
        if (below(2) == 0) rule.access += letter;
      }
    }
    const auto program = compile_device_program(rules);
    const Request request{1 + below(2), 1 + below(7), below(3), below(3)};
    ASSERT_EQ(allows(program, request), should_allow(rules, request)) << "round " << round;
  }
}

}  // namespace
}  // namespace runtime::cgroup
