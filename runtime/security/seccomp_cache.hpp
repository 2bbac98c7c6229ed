// Compiled filters on disk: docs/formats/seccomp-cache.md. Entries are written once, under another
// name, then renamed; a torn, foreign or altered one is not used.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "runtime/security/seccomp.hpp"

namespace runtime::security {

/// A directory that belongs to the calling user and that nobody else may write to.
class SeccompCache {
 public:
  /// Creates the directory (mode 0700) if need be. Fails with Invalid when it has another owner or
  /// is open to others: such a cache could hold anybody's filters.
  static base::Result<SeccompCache> open(const std::string& directory);

  /// The program stored for this profile by this version of the runtime and of libseccomp.
  std::optional<SeccompProgram> find(const oci::Seccomp& profile) const;
  base::Result<void> store(const oci::Seccomp& profile, const SeccompProgram& program) const;

 private:
  explicit SeccompCache(base::UniqueFd directory) : directory_(std::move(directory)) {}

  base::UniqueFd directory_;
};

}  // namespace runtime::security
