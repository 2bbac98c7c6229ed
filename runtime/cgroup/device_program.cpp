// The device filter of cgroup v2: a BPF program made by hand. The context is struct
// bpf_cgroup_dev_ctx; the result is 1 (allowed) or 0.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>

#include "base/file.hpp"
#include "runtime/cgroup/device_rules.hpp"

namespace runtime::cgroup {
namespace {

using oci::DeviceRule;
using oci::DeviceRuleType;

enum Register : std::uint8_t {
  kResult = BPF_REG_0,
  kContext = BPF_REG_1,
  kType = BPF_REG_2,
  kWanted = BPF_REG_3,  // kinds of access that no rule has decided yet
  kMajor = BPF_REG_4,
  kMinor = BPF_REG_5,
  kScratch = BPF_REG_0,
};

bpf_insn instruction(int code, std::uint8_t to, std::uint8_t from, std::int16_t offset,
                     std::int32_t immediate) {
  bpf_insn out{};
  out.code = static_cast<std::uint8_t>(code);
  out.dst_reg = to & 0xf;
  out.src_reg = from & 0xf;
  out.off = offset;
  out.imm = immediate;
  return out;
}

bpf_insn load_word(Register to, std::size_t offset) {
  return instruction(BPF_LDX | BPF_W | BPF_MEM, to, kContext, static_cast<std::int16_t>(offset), 0);
}
bpf_insn with_immediate(int operation, Register to, std::int32_t immediate) {
  return instruction(BPF_ALU | operation | BPF_K, to, 0, 0, immediate);
}
bpf_insn copy(Register to, Register from) {
  return instruction(BPF_ALU | BPF_MOV | BPF_X, to, from, 0, 0);
}
bpf_insn leave() { return instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0); }

std::int32_t access_bits(const std::string& access) {
  if (access.empty()) return BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE | BPF_DEVCG_ACC_MKNOD;
  std::int32_t bits = 0;
  if (access.contains('r')) bits |= BPF_DEVCG_ACC_READ;
  if (access.contains('w')) bits |= BPF_DEVCG_ACC_WRITE;
  if (access.contains('m')) bits |= BPF_DEVCG_ACC_MKNOD;
  return bits;
}

// The code for one rule. Jumps that leave it are patched once its length is known.
class RuleCode {
 public:
  explicit RuleCode(const DeviceRule& rule) {
    if (rule.type == DeviceRuleType::Char) skip_unless(kType, BPF_DEVCG_DEV_CHAR);
    if (rule.type == DeviceRuleType::Block) skip_unless(kType, BPF_DEVCG_DEV_BLOCK);
    if (rule.major) skip_unless(kMajor, *rule.major);
    if (rule.minor) skip_unless(kMinor, *rule.minor);
    const std::int32_t bits = access_bits(rule.access);
    if (rule.allow) {
      // What this rule allows need not be asked of older rules.
      code_.push_back(with_immediate(BPF_AND, kWanted, ~bits));
      skip_unless(kWanted, 0);
      code_.push_back(with_immediate(BPF_MOV, kResult, 1));
    } else {
      code_.push_back(copy(kScratch, kWanted));
      code_.push_back(with_immediate(BPF_AND, kScratch, bits));
      skip_if(kScratch, 0);
      code_.push_back(with_immediate(BPF_MOV, kResult, 0));
    }
    code_.push_back(leave());
  }

  void append_to(std::vector<bpf_insn>& program) {
    for (const std::size_t jump : jumps_) {
      code_[jump].off = static_cast<std::int16_t>(code_.size() - jump - 1);
    }
    program.insert(program.end(), code_.begin(), code_.end());
  }

 private:
  // 32-bit comparisons: a 64-bit one would sign-extend a number above INT32_MAX.
  void jump(int condition, Register left, std::int64_t right) {
    jumps_.push_back(code_.size());
    code_.push_back(
        instruction(BPF_JMP32 | condition | BPF_K, left, 0, 0, static_cast<std::int32_t>(right)));
  }
  void skip_unless(Register left, std::int64_t right) { jump(BPF_JNE, left, right); }
  void skip_if(Register left, std::int64_t right) { jump(BPF_JEQ, left, right); }

  std::vector<bpf_insn> code_;
  std::vector<std::size_t> jumps_;
};

// Safety: bpf(2) reads and writes only within the attr that is passed with its size.
long bpf(int command, bpf_attr& attr) { return ::syscall(SYS_bpf, command, &attr, sizeof(attr)); }

bpf_attr cleared() {
  bpf_attr attr;
  std::memset(&attr, 0, sizeof(attr));  // unused members of the union have to be zero
  return attr;
}

std::uint64_t address_of(const void* pointer) {
  // Safety: only handed to the kernel, which wants addresses as 64-bit numbers.
  return reinterpret_cast<std::uint64_t>(pointer);
}

constexpr std::uint32_t kMaxAttached = 64;  // BPF_CGROUP_MAX_PROGS

base::Result<std::vector<std::uint32_t>> attached_programs(int directory, const std::string& path) {
  std::array<std::uint32_t, kMaxAttached> ids{};
  bpf_attr attr = cleared();
  attr.query.target_fd = static_cast<std::uint32_t>(directory);
  attr.query.attach_type = BPF_CGROUP_DEVICE;
  attr.query.prog_ids = address_of(ids.data());
  attr.query.prog_cnt = kMaxAttached;
  if (bpf(BPF_PROG_QUERY, attr) != 0) return base::fail_errno("bpf(PROG_QUERY)", path);
  return std::vector<std::uint32_t>(ids.begin(), ids.begin() + attr.query.prog_cnt);
}

base::Result<void> detach(int directory, std::uint32_t id, const std::string& path) {
  bpf_attr get = cleared();
  get.prog_id = id;
  const base::UniqueFd program(static_cast<int>(bpf(BPF_PROG_GET_FD_BY_ID, get)));
  if (!program) {
    // Somebody else's program that this process may not open is not ours to remove.
    if (errno == EACCES || errno == EPERM || errno == ENOENT) return {};
    return base::fail_errno("bpf(PROG_GET_FD_BY_ID)", path);
  }
  bpf_attr attr = cleared();
  attr.target_fd = static_cast<std::uint32_t>(directory);
  attr.attach_bpf_fd = static_cast<std::uint32_t>(program.get());
  attr.attach_type = BPF_CGROUP_DEVICE;
  if (bpf(BPF_PROG_DETACH, attr) != 0 && errno != ENOENT) {
    return base::fail_errno("bpf(PROG_DETACH)", path);
  }
  return {};
}

}  // namespace

std::vector<bpf_insn> compile_device_program(std::span<const DeviceRule> rules) {
  std::vector<bpf_insn> program{
      load_word(kType, offsetof(bpf_cgroup_dev_ctx, access_type)),
      copy(kWanted, kType),
      with_immediate(BPF_AND, kType, 0xffff),
      with_immediate(BPF_RSH, kWanted, 16),
      load_word(kMajor, offsetof(bpf_cgroup_dev_ctx, major)),
      load_word(kMinor, offsetof(bpf_cgroup_dev_ctx, minor)),
  };
  // From the last to the first: the first that matches here is the one that wins.
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) RuleCode(*rule).append_to(program);
  program.push_back(with_immediate(BPF_MOV, kResult, 0));
  program.push_back(leave());
  return program;
}

base::Result<void> attach_device_program(const std::string& path,
                                         std::span<const bpf_insn> program) {
  const base::UniqueFd directory = TRY(base::open_file(path, O_RDONLY | O_DIRECTORY));
  const std::vector<std::uint32_t> before = TRY(attached_programs(directory.get(), path));

  bpf_attr load = cleared();
  load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load.insns = address_of(program.data());
  load.insn_cnt = static_cast<std::uint32_t>(program.size());
  load.license = address_of("");
  const base::UniqueFd loaded(static_cast<int>(bpf(BPF_PROG_LOAD, load)));
  if (!loaded) return base::fail_errno("bpf(PROG_LOAD)", path);

  bpf_attr attach = cleared();
  attach.target_fd = static_cast<std::uint32_t>(directory.get());
  attach.attach_bpf_fd = static_cast<std::uint32_t>(loaded.get());
  attach.attach_type = BPF_CGROUP_DEVICE;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  if (bpf(BPF_PROG_ATTACH, attach) != 0) return base::fail_errno("bpf(PROG_ATTACH)", path);
  for (const std::uint32_t id : before) TRY(detach(directory.get(), id, path));
  return {};
}

}  // namespace runtime::cgroup
