// Compiled filters on disk: docs/formats/seccomp-cache.md. An entry appears whole or not at all; a
// torn, foreign or altered one is not used.
#pragma once

#include <linux/filter.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "oci/seccomp.hpp"

namespace runtime::security {

/// A directory that belongs to the calling user and that nobody else may enter.
class SeccompCache {
 public:
  /// The name of the entry for a profile, this compiler and this libseccomp.
  using Key = std::string;
  static Key key_of(const oci::Seccomp& profile);

  /// Creates the directory (mode 0700) if need be. Fails with Invalid when it has another owner or
  /// is open to others: anybody's filters could lie there.
  static base::Result<SeccompCache> open(const std::string& directory);

  /// Removes an entry that is not whole.
  std::optional<std::vector<sock_filter>> find(const Key& key) const;
  base::Result<void> store(const Key& key, const std::vector<sock_filter>& filter) const;

 private:
  explicit SeccompCache(base::UniqueFd directory) : directory_(std::move(directory)) {}

  base::UniqueFd directory_;
};

}  // namespace runtime::security
