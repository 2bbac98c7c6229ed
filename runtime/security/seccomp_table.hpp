// What a profile means for each system call of each architecture: the step between the profile's
// names and the filter's instructions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "oci/seccomp.hpp"

namespace runtime::security {

/// SECCOMP_RET_* with its data: what a filter returns.
using SeccompAnswer = std::uint32_t;

struct ConditionalAnswer {
  std::vector<oci::SeccompArg> all_of;
  SeccompAnswer answer = 0;
};

/// The answer to one call: `always` if present, otherwise that of the first condition that holds,
/// otherwise the table's default.
struct CallAnswers {
  std::optional<SeccompAnswer> always;
  std::vector<ConditionalAnswer> conditional;
};

struct ArchTable {
  std::uint32_t audit_arch = 0;  ///< AUDIT_ARCH_* as the kernel gives it
  bool x32 = false;     ///< shares its audit_arch with x86_64, apart by a bit of the number
  bool narrow = false;  ///< arguments are 32 bits wide: the upper halves are not compared
  std::map<std::uint32_t, CallAnswers> calls;
  /// Numbers above every name of the profile get ENOSYS, if set.
  std::optional<std::uint32_t> enosys_above;
};

struct SeccompTable {
  SeccompAnswer otherwise = 0;
  std::vector<ArchTable> archs;
};

/// How the profile is read, beyond the spec, where runc and libseccomp decide: rules that say what
/// the default says are void; names that an architecture does not have are left out there; a rule
/// without conditions beats those with; conditions on one argument twice are alternatives; of rules
/// that hold at once the strictest counts. Architectures that this machine cannot run are left out;
/// its own is always in.
SeccompTable seccomp_table(const oci::Seccomp& profile);

}  // namespace runtime::security
