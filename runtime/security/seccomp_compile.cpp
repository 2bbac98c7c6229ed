// From table to classic BPF. Code is built from the inside out: each function returns instructions
// that end in a return, and jumps only forward within itself, so that pieces can be joined as they
// are.
#include "runtime/security/seccomp_compile.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <span>

#include "runtime/security/seccomp_table.hpp"

namespace runtime::security {
namespace {

using Code = std::vector<sock_filter>;

constexpr std::uint32_t kX32Bit = 0x40000000;

constexpr sock_filter statement(unsigned code, std::uint32_t k) {
  return {static_cast<__u16>(code), 0, 0, k};
}
constexpr sock_filter load(std::size_t offset) {
  return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
constexpr sock_filter answer_with(SeccompAnswer answer) {
  return statement(BPF_RET | BPF_K, answer);
}

void append(Code& code, const Code& more) { code.insert(code.end(), more.begin(), more.end()); }

/// Compares the accumulator: one of BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET with `k`.
Code if_else(unsigned test, std::uint32_t k, const Code& yes, const Code& no) {
  const auto jump = [&](std::size_t jt, std::size_t jf) {
    return sock_filter{static_cast<__u16>(BPF_JMP | test | BPF_K), static_cast<__u8>(jt),
                       static_cast<__u8>(jf), k};
  };
  Code code;
  if (no.size() <= UINT8_MAX) {
    code.push_back(jump(no.size(), 0));
  } else {
    code.push_back(jump(0, 1));
    code.push_back(statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(no.size())));
  }
  append(code, no);
  append(code, yes);
  return code;
}

/// What follows a condition that holds is put behind it; one that fails jumps over all of that.
class Condition {
 public:
  Condition(const oci::SeccompArg& arg, bool narrow, std::size_t skip)
      : arg_(arg), narrow_(narrow), skip_(skip) {}

  Code code() {
    using enum oci::SeccompOperator;
    switch (arg_.op) {
      case EqualTo:
        return equal(UINT64_MAX, arg_.value);
      case MaskedEqual:
        return equal(arg_.value, arg_.value_two & arg_.value);
      case NotEqual:
        return not_equal();
      case GreaterThan:
        return ordered(BPF_JGT, true);
      case GreaterEqual:
        return ordered(BPF_JGE, true);
      case LessEqual:
        return ordered(BPF_JGT, false);
      case LessThan:
        return ordered(BPF_JGE, false);
    }
    return {};
  }

 private:
  static std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
  static std::uint32_t high(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }

  // Little-endian: the lower half lies first.
  sock_filter load_low() const {
    return load(offsetof(seccomp_data, args) + std::size_t{8} * arg_.index);
  }
  sock_filter load_high() const {
    return load(offsetof(seccomp_data, args) + std::size_t{8} * arg_.index + 4);
  }

  sock_filter jump(unsigned test, std::uint32_t k, std::size_t yes, std::size_t no) const {
    return {static_cast<__u16>(BPF_JMP | test | BPF_K), static_cast<__u8>(yes),
            static_cast<__u8>(no), k};
  }

  Code equal(std::uint64_t mask, std::uint64_t value) const {
    Code code;
    const auto half = [&](sock_filter loaded, std::uint32_t bits, std::uint32_t k,
                          std::size_t behind) {
      code.push_back(loaded);
      if (bits != UINT32_MAX) code.push_back(statement(BPF_ALU | BPF_AND | BPF_K, bits));
      code.push_back(jump(BPF_JEQ, k, 0, behind + skip_));
    };
    const std::size_t low_size = low(mask) != UINT32_MAX ? 3 : 2;
    if (!narrow_) half(load_high(), high(mask), high(value), low_size);
    half(load_low(), low(mask), low(value), 0);
    return code;
  }

  Code not_equal() const {
    Code code;
    if (!narrow_) code = {load_high(), jump(BPF_JEQ, high(arg_.value), 0, 2)};
    append(code, {load_low(), jump(BPF_JEQ, low(arg_.value), skip_, 0)});
    return code;
  }

  /// Holds if argument > value (BPF_JGT) or >= value (BPF_JGE) is `wanted`.
  Code ordered(unsigned low_test, bool wanted) const {
    const std::size_t above = wanted ? 0 : skip_;
    const std::size_t below = wanted ? skip_ : 0;
    Code code;
    if (!narrow_) {
      code = {load_high(), jump(BPF_JGT, high(arg_.value), above + 3, 0),
              jump(BPF_JEQ, high(arg_.value), 0, below + 2)};
    }
    append(code, {load_low(), jump(low_test, low(arg_.value), above, below)});
    return code;
  }

  const oci::SeccompArg& arg_;
  bool narrow_;
  std::size_t skip_;
};

Code conditional_answers(const CallAnswers& call, bool narrow, SeccompAnswer otherwise) {
  Code code;
  for (const ConditionalAnswer& rule : call.conditional) {
    // At most six conditions of at most six instructions: every jump is short.
    Code body = {answer_with(rule.answer)};
    for (auto arg = rule.all_of.rbegin(); arg != rule.all_of.rend(); ++arg) {
      Code with_condition = Condition(*arg, narrow, body.size()).code();
      append(with_condition, body);
      body = std::move(with_condition);
    }
    append(code, body);
  }
  code.push_back(answer_with(otherwise));
  return code;
}

/// The code for all numbers from `first` up to the next segment's first.
struct Segment {
  std::uint32_t first;
  Code code;
};

bool same_code(const Code& a, const Code& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const sock_filter& x, const sock_filter& y) {
                      return x.code == y.code && x.jt == y.jt && x.jf == y.jf && x.k == y.k;
                    });
}

std::vector<Segment> segments_of(const ArchTable& table, SeccompAnswer otherwise) {
  std::vector<Segment> segments;
  const auto add = [&](std::uint32_t first, Code code) {
    if (!segments.empty() && segments.back().first == first) segments.pop_back();
    if (!segments.empty() && same_code(segments.back().code, code)) return;
    segments.push_back({first, std::move(code)});
  };
  add(0, {answer_with(otherwise)});
  for (const auto& [number, call] : table.calls) {
    add(number, call.always ? Code{answer_with(*call.always)}
                            : conditional_answers(call, table.narrow, otherwise));
    add(number + 1, {answer_with(otherwise)});
  }
  if (table.enosys_above) {
    add(*table.enosys_above + 1, {answer_with(SECCOMP_RET_ERRNO | ENOSYS)});
  }
  return segments;
}

/// A balanced tree: a call takes log2 of the segments in comparisons.
Code search(std::span<const Segment> segments) {
  if (segments.size() == 1) return segments[0].code;
  const std::size_t middle = segments.size() / 2;
  return if_else(BPF_JGE, segments[middle].first, search(segments.subspan(middle)),
                 search(segments.first(middle)));
}

Code calls_of(const SeccompTable& table, std::uint32_t audit_arch, bool x32) {
  for (const ArchTable& arch : table.archs) {
    if (arch.audit_arch == audit_arch && arch.x32 == x32) {
      return search(segments_of(arch, table.otherwise));
    }
  }
  return {answer_with(SECCOMP_RET_KILL_THREAD)};
}

/// For calls of one architecture as the kernel sees it.
Code section(const SeccompTable& table, std::uint32_t audit_arch) {
  Code code = {load(offsetof(seccomp_data, nr))};
  Code calls = calls_of(table, audit_arch, false);
  if (audit_arch == AUDIT_ARCH_X86_64) {
    calls = if_else(BPF_JSET, kX32Bit, calls_of(table, audit_arch, true), calls);
  }
  append(code, calls);
  return code;
}

}  // namespace

std::string libseccomp_version() {
  const scmp_version* version = ::seccomp_version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->micro);
}

base::Result<std::vector<sock_filter>> compile_filter(const oci::Seccomp& profile) {
  const SeccompTable table = seccomp_table(profile);
  // Calls of an architecture that the profile does not have end the thread, as with libseccomp.
  Code code = {answer_with(SECCOMP_RET_KILL_THREAD)};
  // The first architecture is asked for first: wrap it last.
  for (auto arch = table.archs.rbegin(); arch != table.archs.rend(); ++arch) {
    if (!arch->x32) {
      code = if_else(BPF_JEQ, arch->audit_arch, section(table, arch->audit_arch), code);
    }
  }
  code.insert(code.begin(), load(offsetof(seccomp_data, arch)));
  if (code.size() > BPF_MAXINSNS) {
    return base::fail(base::ErrorKind::LimitExceeded,
                      "seccomp filter of " + std::to_string(code.size()) +
                          " instructions, more than " + std::to_string(BPF_MAXINSNS));
  }
  return code;
}

}  // namespace runtime::security
