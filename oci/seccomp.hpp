// The seccomp profile of a container: runtime-spec 1.3.0 config-linux.md "Seccomp".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace oci {

enum class SeccompAction : std::uint8_t {
  Kill,
  KillProcess,
  KillThread,
  Trap,
  Errno,
  Trace,
  Allow,
  Log,
  Notify,
};

enum class SeccompOperator : std::uint8_t {
  NotEqual,
  LessThan,
  LessEqual,
  EqualTo,
  GreaterEqual,
  GreaterThan,
  MaskedEqual,
};

enum class SeccompArch : std::uint8_t {
  X86,
  X86_64,
  X32,
  Arm,
  Aarch64,
  Mips,
  Mips64,
  Mips64N32,
  Mipsel,
  Mipsel64,
  Mipsel64N32,
  Ppc,
  Ppc64,
  Ppc64Le,
  S390,
  S390x,
  Parisc,
  Parisc64,
  Riscv64,
  Loongarch64,
  M68k,
  Sh,
  Sheb,
};

/// `Tsync` is not of the spec: runc accepts and ignores it.
enum class SeccompFlag : std::uint8_t { Log, SpecAllow, WaitKillableRecv, Tsync };

/// `value_two` counts with MaskedEqual only: (argument & value) == value_two.
struct SeccompArg {
  std::uint32_t index = 0;  ///< 0 to 5
  std::uint64_t value = 0;
  std::uint64_t value_two = 0;
  SeccompOperator op = SeccompOperator::EqualTo;
};

struct SeccompSyscall {
  std::vector<std::string> names;
  SeccompAction action = SeccompAction::Errno;
  std::optional<std::uint32_t> errno_ret;
  std::vector<SeccompArg> args;
};

struct Seccomp {
  SeccompAction default_action = SeccompAction::Errno;
  std::optional<std::uint32_t> default_errno_ret;
  std::vector<SeccompArch> architectures;
  /// Absent is not empty: runtimes then use SpecAllow where the kernel has it.
  std::optional<std::vector<SeccompFlag>> flags;
  std::string listener_path;
  std::string listener_metadata;
  std::vector<SeccompSyscall> syscalls;
};

}  // namespace oci
