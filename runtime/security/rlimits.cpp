#include "runtime/security/rlimits.hpp"

#include <sys/resource.h>

#include <cstddef>

#include "oci/names.hpp"

namespace runtime::security {
namespace {

// In the order of oci::RlimitType.
constexpr __rlimit_resource kResources[] = {
    RLIMIT_AS,      RLIMIT_CORE,     RLIMIT_CPU,        RLIMIT_DATA,   RLIMIT_FSIZE, RLIMIT_LOCKS,
    RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_NICE,       RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_RSS,
    RLIMIT_RTPRIO,  RLIMIT_RTTIME,   RLIMIT_SIGPENDING, RLIMIT_STACK};

}  // namespace

base::Result<void> apply_rlimits(const std::vector<oci::Rlimit>& rlimits, pid_t pid) {
  for (const oci::Rlimit& rlimit : rlimits) {
    const struct rlimit values{rlimit.soft, rlimit.hard};
    if (::prlimit(pid, kResources[static_cast<std::size_t>(rlimit.type)], &values, nullptr) != 0) {
      return base::with_context(
          base::Result<void>(base::fail_errno("setrlimit", oci::name_of(rlimit.type))),
          "set rlimits");
    }
  }
  return {};
}

}  // namespace runtime::security
