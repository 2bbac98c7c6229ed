// The secret that tells artifacts of this node from files that somebody put into the cache:
// docs/formats/cache.md.
#pragma once

#include "base/result.hpp"
#include "base/sha256.hpp"

namespace engine::cache {

using NodeKey = base::Sha256;

/// Reads the file `key` of the directory; makes it if it does not exist, so that of several at once
/// one wins and all get the same. Invalid when it has another owner, is readable by others, or has
/// not the right length.
base::Result<NodeKey> load_or_create_key(int directory);

}  // namespace engine::cache
