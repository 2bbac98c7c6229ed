#include "runtime/security/seccomp_enosys.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <optional>

namespace runtime::security {
namespace {

constexpr std::uint32_t kX32Bit = 0x40000000;

constexpr sock_filter statement(unsigned code, std::uint32_t k) {
  return {static_cast<__u16>(code), 0, 0, k};
}
constexpr sock_filter jump(unsigned code, std::uint32_t k, std::uint8_t yes, std::uint8_t no) {
  return {static_cast<__u16>(BPF_JMP | code | BPF_K), yes, no, k};
}

constexpr sock_filter kLoadArch = statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
constexpr sock_filter kLoadNumber = statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
constexpr sock_filter kReturnEnosys = statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);

/// x32 calls come with the architecture x86_64 and a bit in the number.
std::uint32_t audit_arch(std::uint32_t arch) {
  return arch == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : arch;
}

std::optional<std::uint32_t> number_for(std::span<const LargestSyscall> largest,
                                        std::uint32_t arch) {
  const auto found = std::find_if(largest.begin(), largest.end(),
                                  [&](const LargestSyscall& entry) { return entry.arch == arch; });
  if (found == largest.end()) return std::nullopt;
  return found->number;
}

/// Decides for calls of one architecture: falls off its end with the call undecided.
std::vector<sock_filter> section(std::span<const LargestSyscall> largest, std::uint32_t arch) {
  if (arch == AUDIT_ARCH_X86_64) {
    const auto x86_64 = number_for(largest, SCMP_ARCH_X86_64);
    const auto x32 = number_for(largest, SCMP_ARCH_X32);
    // Of an ABI that the profile does not have, the filter itself takes care.
    constexpr std::uint32_t kNone = UINT32_MAX;
    return {kLoadNumber, jump(BPF_JSET, kX32Bit, 1, 0), jump(BPF_JGT, x86_64.value_or(kNone), 1, 2),
            jump(BPF_JGT, x32.value_or(kNone), 0, 1), kReturnEnosys};
  }
  const std::uint32_t number = *number_for(largest, arch);
  if (arch == AUDIT_ARCH_S390 || arch == AUDIT_ARCH_S390X) {
    // Numbers that the kernel does not know arrive as 0, setup(2), which no program uses.
    return {kLoadNumber, jump(BPF_JEQ, 0, 1, 0), jump(BPF_JGT, number, 0, 1), kReturnEnosys};
  }
  return {kLoadNumber, jump(BPF_JGT, number, 0, 1), kReturnEnosys};
}

}  // namespace

std::vector<sock_filter> enosys_stub(std::span<const LargestSyscall> largest) {
  std::vector<std::uint32_t> archs;
  for (const LargestSyscall& entry : largest) {
    const std::uint32_t arch = audit_arch(entry.arch);
    if (std::find(archs.begin(), archs.end(), arch) == archs.end()) archs.push_back(arch);
  }

  std::vector<sock_filter> out;
  std::vector<std::size_t> leave;  // where a section ends: the accumulator is no longer the arch
  if (!archs.empty()) out.push_back(kLoadArch);
  for (const std::uint32_t arch : archs) {
    const std::vector<sock_filter> body = section(largest, arch);
    out.push_back(jump(BPF_JEQ, arch, 0, static_cast<std::uint8_t>(body.size() + 1)));
    out.insert(out.end(), body.begin(), body.end());
    leave.push_back(out.size());
    out.push_back(statement(BPF_JMP | BPF_JA, 0));
  }
  for (const std::size_t at : leave) out[at].k = static_cast<std::uint32_t>(out.size() - at - 1);
  return out;
}

}  // namespace runtime::security
