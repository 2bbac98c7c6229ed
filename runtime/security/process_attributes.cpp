#include "runtime/security/process_attributes.hpp"

#include <fcntl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <string>

#include "base/file.hpp"
#include "base/open_in_root.hpp"
#include "oci/names.hpp"

namespace runtime::security {

base::Result<void> set_no_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return base::fail_errno("prctl", "PR_SET_NO_NEW_PRIVS");
  }
  return {};
}

base::Result<void> apply_personality(const oci::Personality& personality) {
  const unsigned long domain =
      personality.domain == oci::PersonalityDomain::Linux32 ? PER_LINUX32 : PER_LINUX;
  if (::personality(domain) < 0) {
    return base::fail_errno("personality", oci::name_of(personality.domain));
  }
  return {};
}

base::Result<void> write_oom_score_adj(int procfs, pid_t pid, std::int32_t value) {
  const std::string path = std::to_string(pid) + "/oom_score_adj";
  const base::UniqueFd file = TRY(base::open_beneath(procfs, path, O_WRONLY));
  return base::write_all(file.get(), std::to_string(value), path);
}

}  // namespace runtime::security
