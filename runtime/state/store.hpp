// The directory of all containers: <root>/<id>/{lock,state.json,config.json,exec.fifo}, format in
// docs/formats/state.md. Commands of several processes meet here.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "runtime/state/record.hpp"

namespace runtime::state {

/// The directory of one container, locked against other commands that change it. The lock ends
/// with this object or with the process, whichever is first; children do not inherit it (it is a
/// record lock of fcntl(2)), so at most one Entry of a container per process.
class Entry {
 public:
  Entry(Entry&&) noexcept = default;
  Entry& operator=(Entry&&) noexcept = default;

  const std::string& id() const { return id_; }
  const std::string& directory() const { return directory_; }
  /// Where the container waits for start.
  std::string fifo_path() const { return directory_ + "/exec.fifo"; }

  /// What the container sees as /run/notify; not always there.
  std::string notify_directory() const { return directory_ + "/notify"; }

  /// Where restore mounts the root for criu; exists only meanwhile.
  std::string restore_root() const { return directory_ + "/criu-root"; }

  base::Result<Record> load() const;
  /// Atomic: readers see the old record or the new one.
  base::Result<void> save(const Record& record) const;
  /// The config.json that create read; what the bundle has later does not matter (runtime.md,
  /// "create").
  base::Result<void> save_config(std::string_view json) const;
  base::Result<std::string> load_config() const;
  /// Removes the directory. The container does not exist afterwards.
  base::Result<void> remove();

 private:
  friend class Store;
  Entry(std::string id, std::string directory, base::UniqueFd lock)
      : id_(std::move(id)), directory_(std::move(directory)), lock_(std::move(lock)) {}

  std::string id_;
  std::string directory_;
  base::UniqueFd lock_;
};

class Store {
 public:
  /// Touches nothing; `root` must be absolute.
  explicit Store(std::string root) : root_(std::move(root)) {}

  const std::string& root() const { return root_; }

  /// For create: makes the directory (0711) and locks it. AlreadyExists ("container with given ID
  /// already exists") when the container exists or is being created. What a killed create left
  /// under this id is removed first (leftovers.hpp).
  base::Result<Entry> claim(std::string_view id) const;
  /// For start, delete and other changes: locks, waiting up to `patience` for another command.
  /// NotFound ("container does not exist"), WrongState when the lock stays taken.
  base::Result<Entry> lock(std::string_view id, std::chrono::milliseconds patience) const;

  /// Without the lock, for commands that only read. NotFound ("container does not exist").
  base::Result<Record> load(std::string_view id) const;
  base::Result<std::string> load_config(std::string_view id) const;
  /// Ids of all directories, sorted; empty when the root does not exist.
  base::Result<std::vector<std::string>> list() const;

 private:
  std::string root_;
};

/// runc's rule: [A-Za-z0-9_+.-]+, but not "." or "..", at most 1024 bytes; Invalid ("invalid
/// container ID format").
base::Result<void> check_id(std::string_view id);

/// /run/wherry for the host's root; $XDG_RUNTIME_DIR/wherry for others (root of a user namespace
/// is one of them) if that is set.
std::string default_root(bool is_host_root, const char* xdg_runtime_dir);

}  // namespace runtime::state
