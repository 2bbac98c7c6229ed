// A prologue for filters: system calls newer than the profile give ENOSYS, so that libraries fall
// back to older ones (glibc tried clone3, got EPERM, and gave up: the reason why runc does this).
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <span>
#include <vector>

namespace runtime::security {

struct LargestSyscall {
  std::uint32_t arch = 0;  ///< as libseccomp names it: AUDIT_ARCH_*, but x32 has its own
  std::uint32_t number = 0;
};

/// To be put in front of a filter; what it does not decide goes on there.
std::vector<sock_filter> enosys_stub(std::span<const LargestSyscall> largest);

}  // namespace runtime::security
