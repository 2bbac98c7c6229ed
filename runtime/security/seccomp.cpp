#include "runtime/security/seccomp.hpp"

#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "oci/names.hpp"
#include "runtime/security/seccomp_cache.hpp"
#include "runtime/security/seccomp_compile.hpp"

namespace runtime::security {
namespace {

// In the order of oci::SeccompFlag. Tsync: this process has one thread when it installs a filter.
constexpr std::uint32_t kFlags[] = {SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                                    SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, 0};

std::uint32_t flag_bit(oci::SeccompFlag flag) { return kFlags[static_cast<std::size_t>(flag)]; }

/// The kernel checks flags before it looks at the program: EFAULT means that it took them.
bool kernel_takes(std::uint32_t flags) {
  // Only together with a listener (kernel/seccomp.c).
  if ((flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) != 0) {
    flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  }
  // Safety: a null program; nothing is installed.
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, nullptr) != 0 && errno == EFAULT;
}

base::Result<std::uint32_t> flags_of(const oci::Seccomp& profile) {
  const bool notifies = std::any_of(
      profile.syscalls.begin(), profile.syscalls.end(),
      [](const oci::SeccompSyscall& rule) { return rule.action == oci::SeccompAction::Notify; });
  std::uint32_t flags = notifies ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
  if (!profile.flags) {
    return flags |
           (kernel_takes(SECCOMP_FILTER_FLAG_SPEC_ALLOW) ? SECCOMP_FILTER_FLAG_SPEC_ALLOW : 0);
  }
  for (const oci::SeccompFlag flag : *profile.flags) {
    if (!kernel_takes(flag_bit(flag))) {
      return base::fail(
          base::ErrorKind::Unsupported,
          "seccomp flag " + std::string(oci::name_of(flag)) + " is not supported by this kernel");
    }
    flags |= flag_bit(flag);
  }
  // Without a listener it would have no effect, and the kernel refuses it.
  if (!notifies) flags &= ~std::uint32_t{SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV};
  return flags;
}

base::Result<std::vector<sock_filter>> filter_of(const oci::Seccomp& profile,
                                                 const SeccompCache* cache) {
  if (cache == nullptr) return compile_filter(profile);
  const SeccompCache::Key key = SeccompCache::key_of(profile);
  if (auto cached = cache->find(key)) return *std::move(cached);
  std::vector<sock_filter> filter = TRY(compile_filter(profile));
  (void)cache->store(key, filter);
  return filter;
}

}  // namespace

base::Result<SeccompProgram> compile_seccomp(const oci::Seccomp& profile,
                                             const SeccompCache* cache) {
  SeccompProgram program;
  program.flags = TRY(flags_of(profile));
  program.filter = TRY(base::with_context(filter_of(profile, cache), "compile seccomp profile"));
  return program;
}

base::Result<base::UniqueFd> install_seccomp(const SeccompProgram& program) {
  sock_fprog argument{};
  argument.len = static_cast<unsigned short>(program.filter.size());
  // The kernel copies from it; the pointer is not const by history.
  argument.filter = const_cast<sock_filter*>(program.filter.data());
  // Safety: the program outlives the call; the kernel checks its instructions.
  const long result = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, program.flags, &argument);
  if (result < 0) return base::fail_errno("seccomp", "set filter");
  if ((program.flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) == 0) return base::UniqueFd();
  return base::UniqueFd(static_cast<int>(result));
}

std::vector<oci::SeccompFlag> supported_seccomp_flags() {
  std::vector<oci::SeccompFlag> out;
  for (const auto& entry : oci::names<oci::SeccompFlag>().entries) {
    if (kernel_takes(flag_bit(entry.value))) out.push_back(entry.value);
  }
  return out;
}

}  // namespace runtime::security
