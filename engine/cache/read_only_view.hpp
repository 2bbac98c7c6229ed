// Descriptors that nobody can turn into writable ones.
#pragma once

#include "base/unique_fd.hpp"

namespace engine::cache {

/// The directory behind a read-only mount of its own. A container's root user may reopen what its
/// PID 1 has open by /proc/1/fd, and CAP_DAC_OVERRIDE, which containers have by default, ignores
/// the file's mode: the mount answers EROFS. Empty where this process may not mount: an
/// unprivileged user's cache is that user's own in any case.
base::UniqueFd read_only_view(int directory);

}  // namespace engine::cache
