// Which file is this, in a way that no other file shares as long as its content is the same; and
// what its content hashed to: docs/formats/cache.md, "Digests of module files".
#pragma once

#include <optional>
#include <string>

#include "base/sha256.hpp"
#include "engine/cache/node_key.hpp"

namespace engine::cache {

/// 64 hexadecimal digits, or nothing where the file system has no file handles.
std::optional<std::string> file_identity(int fd);
/// Whether a write that comes now would change the file's ctime.
bool is_settled(int fd);

std::optional<base::Sha256> read_digest(int directory, const std::string& name,
                                        const NodeKey& node_key);
/// Best effort: what cannot be remembered is hashed again.
void write_digest(int directory, const std::string& name, const base::Sha256& digest,
                  const NodeKey& node_key);

}  // namespace engine::cache
