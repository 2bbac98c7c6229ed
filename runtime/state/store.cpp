// The state directory. All races between commands end at the lock: see docs/formats/state.md.
#include "runtime/state/store.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "base/file.hpp"
#include "runtime/state/leftovers.hpp"
#include "runtime/state/process_id.hpp"

namespace runtime::state {
namespace {

using base::ErrorKind;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxRecord = std::size_t{4} << 20;
constexpr std::size_t kMaxConfig = std::size_t{16} << 20;
constexpr std::size_t kMaxId = 1024;
constexpr mode_t kDirectoryMode = 0711;
constexpr mode_t kFileMode = 0600;

std::unexpected<base::Error> does_not_exist() {
  return base::fail(ErrorKind::NotFound, "container does not exist");
}

base::Result<Record> load_record(const std::string& directory) {
  auto text = base::read_file(directory + "/state.json", kMaxRecord);
  if (!text && text.error().sys_errno() == ENOENT) return does_not_exist();
  if (!text) return std::unexpected(std::move(text).error());
  return base::with_context(parse_record(*text), directory + "/state.json");
}

// Takes the lock if nobody has it. Empty: somebody has. A lock file that was unlinked in between
// belongs to a container that was deleted: NotFound.
base::Result<std::optional<base::UniqueFd>> try_lock(const std::string& directory, int flags) {
  const std::string path = directory + "/lock";
  auto opened = base::open_file(path, O_RDWR | O_NOFOLLOW | flags, kFileMode);
  if (!opened && opened.error().sys_errno() == ENOENT) return does_not_exist();
  base::UniqueFd fd = TRY(std::move(opened));
  struct flock request{};
  request.l_type = F_WRLCK;
  request.l_whence = SEEK_SET;
  if (::fcntl(fd.get(), F_SETLK, &request) != 0) {
    if (errno == EAGAIN || errno == EACCES) return std::nullopt;
    return base::fail_errno("fcntl(F_SETLK)", path);
  }
  if (TRY(base::stat_fd(fd.get(), path)).st_nlink == 0) return does_not_exist();
  return fd;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

bool is_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '+' || c == '.' || c == '-';
}

// Everything but the lock: also the temporary file of a write that was killed.
base::Result<void> remove_files(const std::string& directory) {
  const std::unique_ptr<DIR, CloseDirectory> stream(::opendir(directory.c_str()));
  if (!stream) return base::fail_errno("opendir", directory);
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || name == "lock") continue;
    const std::string path = directory + '/' + entry->d_name;
    if (name == "notify" || name == "criu-root") {
      // Only what is ours to empty: a root that is still mounted is not.
      if (name == "notify") TRY(remove_files(path));
      if (::rmdir(path.c_str()) != 0 && errno != ENOENT) return base::fail_errno("rmdir", path);
    } else if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
      return base::fail_errno("unlink", path);
    }
  }
  return {};
}

base::Result<void> remove_directory(const std::string& directory) {
  TRY(remove_files(directory));
  // Whoever waits for the lock learns by this that the container is gone.
  const std::string lock = directory + "/lock";
  if (::unlink(lock.c_str()) != 0 && errno != ENOENT) return base::fail_errno("unlink", lock);
  // From here on the name is free, and a create that takes it makes its own lock in the directory.
  if (::rmdir(directory.c_str()) != 0 && errno != ENOENT && errno != ENOTEMPTY) {
    return base::fail_errno("rmdir", directory);
  }
  return {};
}

// What a directory whose lock is free holds: a container, or what a dead create left.
base::Result<void> clear_leftovers(const std::string& directory) {
  auto record = load_record(directory);
  if (record && record->phase != Phase::Creating) {
    return base::fail(ErrorKind::AlreadyExists, "container with given ID already exists");
  }
  if (record)
    return base::with_context(remove_leftovers(*record), "remove what a dead create left");
  // Without a record nothing had been made yet. An unreadable one is for delete --force.
  if (record.error().kind() == ErrorKind::NotFound) return {};
  return std::unexpected(std::move(record).error());
}

}  // namespace

base::Result<Record> Entry::load() const { return load_record(directory_); }

base::Result<void> Entry::save(const Record& record) const {
  return base::write_atomic(directory_ + "/state.json", to_json(record), kFileMode);
}

base::Result<void> Entry::save_config(std::string_view json) const {
  return base::write_atomic(directory_ + "/config.json", json, kFileMode);
}

base::Result<std::string> Entry::load_config() const {
  return base::read_file(directory_ + "/config.json", kMaxConfig);
}

base::Result<void> Entry::remove() {
  TRY(base::with_context(remove_directory(directory_), "remove state"));
  lock_.reset();
  return {};
}

base::Result<Entry> Store::claim(std::string_view id) const {
  TRY(check_id(id));
  TRY(base::with_context(base::make_directories(root_, kDirectoryMode), "make state directory"));
  const std::string directory = root_ + '/' + std::string(id);
  // A delete that removes the directory between two of these steps sends us back to the first.
  for (;;) {
    if (::mkdir(directory.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
      return base::fail_errno("mkdir", directory);
    }
    auto locked = try_lock(directory, O_CREAT);
    if (!locked && locked.error().kind() == ErrorKind::NotFound) continue;
    auto lock = TRY(std::move(locked));
    if (!lock) {
      return base::fail(ErrorKind::AlreadyExists, "container with given ID already exists");
    }
    TRY(clear_leftovers(directory));
    TRY(remove_files(directory));
    return Entry(std::string(id), directory, *std::move(lock));
  }
}

base::Result<Entry> Store::lock(std::string_view id, milliseconds patience) const {
  TRY(check_id(id));
  const std::string directory = root_ + '/' + std::string(id);
  const auto end = Clock::now() + patience;
  for (milliseconds wait{1};; wait = std::min(wait * 2, milliseconds(50))) {
    auto locked = try_lock(directory, 0);
    // An empty directory is what a create leaves that is killed at its very beginning.
    if (!locked && locked.error().kind() == ErrorKind::NotFound) ::rmdir(directory.c_str());
    auto lock = TRY(std::move(locked));
    if (lock) return Entry(std::string(id), directory, *std::move(lock));
    if (Clock::now() >= end) {
      return base::fail(ErrorKind::WrongState,
                        "another command is changing container " + std::string(id));
    }
    std::this_thread::sleep_for(wait);
  }
}

base::Result<Record> Store::load(std::string_view id) const {
  TRY(check_id(id));
  return load_record(root_ + '/' + std::string(id));
}

base::Result<std::string> Store::load_config(std::string_view id) const {
  TRY(check_id(id));
  return base::read_file(root_ + '/' + std::string(id) + "/config.json", kMaxConfig);
}

base::Result<std::vector<std::string>> Store::list() const {
  std::vector<std::string> ids;
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(root_.c_str()));
  if (!directory) {
    if (errno == ENOENT) return ids;
    return base::fail_errno("opendir", root_);
  }
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    struct stat status{};
    if (!check_id(name)) continue;
    if (::stat((root_ + '/' + name).c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
      ids.push_back(name);
    }
  }
  std::ranges::sort(ids);
  return ids;
}

base::Result<void> check_id(std::string_view id) {
  if (id.empty() || id.size() > kMaxId || id == "." || id == ".." ||
      !std::ranges::all_of(id, is_id_character)) {
    return base::fail(ErrorKind::Invalid, "invalid container ID format: " + std::string(id));
  }
  return {};
}

std::string default_root(bool is_host_root, const char* xdg_runtime_dir) {
  if (is_host_root || xdg_runtime_dir == nullptr || *xdg_runtime_dir != '/') {
    return "/run/wherry";
  }
  return std::string(xdg_runtime_dir) + "/wherry";
}

}  // namespace runtime::state
