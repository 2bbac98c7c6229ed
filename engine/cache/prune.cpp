// Keeping the cache small: docs/formats/cache.md, "Use and pruning".
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.hpp"
#include "engine/cache/cache.hpp"
#include "engine/cache/file_identity.hpp"
#include "engine/cache/names_in.hpp"

namespace engine::cache {
namespace {

/// What has to go, of entries sorted by last use, newest first.
std::size_t first_to_go(const std::vector<Entry>& entries, std::time_t oldest,
                        std::uint64_t max_bytes) {
  std::uint64_t kept = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    kept += entries[i].size;
    if (entries[i].used < oldest || kept > max_bytes) return i;
  }
  return entries.size();
}

}  // namespace

base::Result<Pruned> Cache::prune(std::chrono::seconds unused_for, std::uint64_t max_bytes) const {
  std::vector<Entry> entries = TRY(list());
  std::ranges::sort(entries, std::ranges::greater{}, &Entry::used);
  const std::time_t oldest = std::time(nullptr) - std::time_t{unused_for.count()};
  const std::size_t kept = first_to_go(entries, oldest, max_bytes);
  Pruned out;
  for (std::size_t i = kept; i < entries.size(); ++i) {
    if (!TRY(remove(entries[i].key))) continue;
    ++out.artifacts;
    out.bytes += entries[i].size;
  }
  entries.resize(kept);
  std::set<std::string> keys;
  std::set<std::string> module_digests;
  for (const Entry& entry : entries) {
    keys.insert(entry.key);
    module_digests.insert(entry.module_digest);
  }
  prune_locks(keys);
  prune_digests(module_digests);
  return out;
}

void Cache::prune_locks(const std::set<std::string>& keys) const {
  const auto names = names_in(locks_.get(), "locks");
  if (!names) return;
  for (const std::string& name : *names) {
    if (name.starts_with("turn.") || keys.contains(name)) continue;
    const auto lock = base::open_at(locks_.get(), name, O_RDWR | O_NOFOLLOW);
    // Unlinked while it is held, so that nobody holds a lock whose name is another file's.
    if (lock && ::flock(lock->get(), LOCK_EX | LOCK_NB) == 0) {
      ::unlinkat(locks_.get(), name.c_str(), 0);
    }
  }
}

void Cache::prune_digests(const std::set<std::string>& module_digests) const {
  const auto names = names_in(digests_.get(), "digests");
  if (!names) return;
  for (const std::string& name : *names) {
    const auto digest = read_digest(digests_.get(), name, key_);
    if (!digest || !module_digests.contains(base::to_hex(*digest))) {
      ::unlinkat(digests_.get(), name.c_str(), 0);
    }
  }
}

}  // namespace engine::cache
