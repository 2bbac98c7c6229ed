// The node's store of compiled modules: docs/formats/cache.md. Programs of the host use it; the
// process beside the guest gets descriptors from it and nothing else.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/sha256.hpp"
#include "base/unique_fd.hpp"
#include "engine/cache/node_key.hpp"

namespace engine::cache {

/// `WHERRY_CACHE_DIR`, else the place for this user.
std::string default_directory();

/// Holds a lock: that of one key, which nobody else compiles meanwhile, or a turn to compile.
class Flight {
 public:
  explicit Flight(base::UniqueFd lock) : lock_(std::move(lock)) {}

 private:
  base::UniqueFd lock_;
};

struct Entry {
  std::string key;
  std::uint64_t size = 0;
  std::string module_digest;
  std::string compiler;
  std::string target_cpu;
  std::time_t used = 0;  ///< last lookup, to an hour
};

struct Pruned {
  std::size_t artifacts = 0;
  std::uint64_t bytes = 0;
};

class Cache {
 public:
  /// Creates the directory if need be. Invalid when it is somebody else's or open to others.
  static base::Result<Cache> open(const std::string& directory);

  /// The artifact, verified, or nothing. A file that fails verification is removed.
  std::optional<base::UniqueFd> find(const base::Sha256& key) const;
  /// Waits until nobody else compiles this key.
  base::Result<Flight> begin_flight(const base::Sha256& key) const;
  /// Waits for a turn to compile: one at a time for the whole node, but who has waited for
  /// `patience` takes one of three more, so that a hostile module delays others and does not stop
  /// them.
  base::Result<Flight> begin_turn(std::chrono::milliseconds patience) const;
  /// A new file without a name for a compiler to write to.
  base::Result<base::UniqueFd> new_file() const;
  /// Checks the artifact in `file` (from new_file, or a memfd), authenticates it and links it to
  /// its name. Returns it read-only.
  base::Result<base::UniqueFd> publish(base::UniqueFd file, const base::Sha256& key) const;

  /// SHA-256 of a module's file, remembered by the file's identity.
  base::Result<base::Sha256> digest_of(int module, std::string_view subject) const;

  base::Result<std::vector<Entry>> list() const;
  /// Hashes everything in an artifact, its text too.
  base::Result<void> verify(const std::string& key) const;
  /// False when there is no such artifact.
  base::Result<bool> remove(const std::string& key) const;
  /// Removes artifacts that were not used for `unused_for`, then the longest unused ones until
  /// those that stay have `max_bytes` at most; and what locks and digests belonged to them.
  base::Result<Pruned> prune(std::chrono::seconds unused_for, std::uint64_t max_bytes) const;

 private:
  Cache(base::UniqueFd artifacts, base::UniqueFd locks, base::UniqueFd digests, const NodeKey& key)
      : artifacts_(std::move(artifacts)),
        locks_(std::move(locks)),
        digests_(std::move(digests)),
        key_(key) {}

  /// find, without counting as a use.
  std::optional<base::UniqueFd> open_verified(const base::Sha256& key) const;
  void prune_locks(const std::set<std::string>& keys) const;
  void prune_digests(const std::set<std::string>& module_digests) const;

  base::UniqueFd artifacts_;
  base::UniqueFd locks_;
  base::UniqueFd digests_;
  NodeKey key_;
};

}  // namespace engine::cache
