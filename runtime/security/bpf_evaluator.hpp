// Runs a classic BPF program over a system call, as the kernel would (linux/filter.h,
// kernel/seccomp.c, seccomp_check_filter): tests ask it what a filter answers without installing
// it.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace runtime::security {

/// The value that the filter returns (SECCOMP_RET_*); nothing for a program that the kernel would
/// refuse: an unknown instruction, a jump or an end outside, an offset that is not a word of
/// `call`.
inline std::optional<std::uint32_t> evaluate(std::span<const sock_filter> program,
                                             const seccomp_data& call) {
  std::uint32_t a = 0;
  std::uint32_t x = 0;
  std::array<std::uint32_t, BPF_MEMWORDS> memory{};
  for (std::size_t pc = 0; pc < program.size(); ++pc) {
    const sock_filter& in = program[pc];
    const std::uint32_t operand = (in.code & BPF_X) != 0 ? x : in.k;
    const auto branch = [&](bool condition) { pc += condition ? in.jt : in.jf; };
    switch (in.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        if (in.k % 4 != 0 || in.k + 4 > sizeof call) return std::nullopt;
        // Safety: within `call`, checked above.
        std::memcpy(&a, reinterpret_cast<const char*>(&call) + in.k, 4);
        break;
      case BPF_LD | BPF_IMM:
        a = in.k;
        break;
      case BPF_LDX | BPF_IMM:
        x = in.k;
        break;
      case BPF_LD | BPF_MEM:
      case BPF_LDX | BPF_MEM:
        if (in.k >= memory.size()) return std::nullopt;
        (BPF_CLASS(in.code) == BPF_LD ? a : x) = memory[in.k];
        break;
      case BPF_ST:
      case BPF_STX:
        if (in.k >= memory.size()) return std::nullopt;
        memory[in.k] = BPF_CLASS(in.code) == BPF_ST ? a : x;
        break;
      case BPF_ALU | BPF_AND | BPF_K:
      case BPF_ALU | BPF_AND | BPF_X:
        a &= operand;
        break;
      case BPF_ALU | BPF_OR | BPF_K:
      case BPF_ALU | BPF_OR | BPF_X:
        a |= operand;
        break;
      case BPF_MISC | BPF_TAX:
        x = a;
        break;
      case BPF_MISC | BPF_TXA:
        a = x;
        break;
      case BPF_JMP | BPF_JA:
        pc += in.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
      case BPF_JMP | BPF_JEQ | BPF_X:
        branch(a == operand);
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
      case BPF_JMP | BPF_JGT | BPF_X:
        branch(a > operand);
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
      case BPF_JMP | BPF_JGE | BPF_X:
        branch(a >= operand);
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
      case BPF_JMP | BPF_JSET | BPF_X:
        branch((a & operand) != 0);
        break;
      case BPF_RET | BPF_K:
        return in.k;
      case BPF_RET | BPF_A:
        return a;
      default:
        return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace runtime::security
