// Opening of paths beneath a directory that somebody else controls.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace base {

/// openat2(2) with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS and O_CLOEXEC: absolute links and ".."
/// resolve inside `root`, /proc's magic links are refused (CVE-2019-18837, CVE-2021-30465).
/// Fails closed where the kernel has no openat2. `mode` counts with O_CREAT only.
Result<UniqueFd> open_in_root(int root, std::string_view path, std::uint64_t flags,
                              std::uint64_t mode = 0);

/// The same with RESOLVE_BENEATH: leaving `root`, also for a moment, is EXDEV.
Result<UniqueFd> open_beneath(int root, std::string_view path, std::uint64_t flags,
                              std::uint64_t mode = 0);

/// openat2(2) with `resolve` | RESOLVE_NO_MAGICLINKS and O_CLOEXEC, for who opens often and has an
/// errno for an answer: the new descriptor, or -1 and errno.
[[nodiscard]] int open_resolved(int root, const char* path, std::uint64_t flags, std::uint64_t mode,
                                std::uint64_t resolve);

}  // namespace base
