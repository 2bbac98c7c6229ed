#include "engine/cache/cache.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <thread>

#include "base/file.hpp"
#include "base/mapping.hpp"
#include "engine/artifact/reader.hpp"
#include "engine/cache/file_identity.hpp"
#include "engine/cache/names_in.hpp"
#include "engine/cache/read_only_view.hpp"

namespace engine::cache {
namespace {

base::Result<void> check_owner(int fd, mode_t forbidden, std::string_view subject) {
  const struct stat status = TRY(base::stat_fd(fd, subject));
  if (status.st_uid != ::geteuid()) {
    return base::fail(base::ErrorKind::Invalid,
                      std::string(subject) + " belongs to user " + std::to_string(status.st_uid));
  }
  if ((status.st_mode & forbidden) != 0) {
    return base::fail(base::ErrorKind::Invalid, std::string(subject) + " is open to other users");
  }
  return {};
}

base::Result<base::UniqueFd> open_directory(int parent, const std::string& name) {
  const bool made = ::mkdirat(parent, name.c_str(), 0700) == 0;
  const int refusal = made ? 0 : errno;
  auto directory = base::open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const bool absent = !directory && directory.error().kind() == base::ErrorKind::NotFound;
  if (absent && !made) return std::unexpected(base::Error("mkdir", name, refusal));
  return directory;
}

/// Everything that lookup asks of a file; the mapping holds the artifact's bytes.
base::Result<void> check(int fd, const base::Sha256& key, const NodeKey& node_key,
                         std::string_view name) {
  TRY(check_owner(fd, 022, name));
  const struct stat status = TRY(base::stat_fd(fd, name));
  if (!S_ISREG(status.st_mode)) {
    return base::fail(base::ErrorKind::Invalid, std::string(name) + " is no regular file");
  }
  const base::Mapping mapping = TRY(base::Mapping::of_file(fd, artifact::kMaxFileSize, name));
  const artifact::Artifact parsed = TRY(artifact::Artifact::parse(mapping.bytes()));
  if (parsed.header().key != key) {
    return base::fail(base::ErrorKind::Invalid, std::string(name) + " is of another key");
  }
  const base::Sha256 expected =
      base::hmac_sha256(node_key, artifact::authenticated_bytes(mapping.bytes()));
  if (!base::equal_in_constant_time(expected, artifact::authentication(mapping.bytes()))) {
    return base::fail(base::ErrorKind::Invalid, std::string(name) + " is not of this node");
  }
  TRY(artifact::verify_part(parsed, artifact::Part::Metadata));
  return artifact::check_cpu(parsed);
}

/// Writes the authentication into the header of a finished artifact.
base::Result<void> authenticate(int fd, const base::Sha256& key, const NodeKey& node_key) {
  const struct stat status = TRY(base::stat_fd(fd, "artifact"));
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0 || size > artifact::kMaxFileSize) {
    return base::fail(base::ErrorKind::Invalid, "artifact of " + std::to_string(size) + " bytes");
  }
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) return base::fail_errno("mmap", "artifact");
  const base::Mapping mapping(address, size);
  const artifact::Artifact parsed = TRY(artifact::Artifact::parse(mapping.bytes()));
  if (parsed.header().key != key) {
    return base::fail(base::ErrorKind::Invalid, "the compiler made an artifact of another key");
  }
  for (std::size_t part = 0; part < artifact::kParts; ++part) {
    TRY(artifact::verify_part(parsed, static_cast<artifact::Part>(part)));
  }
  artifact::set_authentication(
      {mapping.data(), size},
      base::hmac_sha256(node_key, artifact::authenticated_bytes(mapping.bytes())));
  return {};
}

base::Result<base::UniqueFd> open_lock(int directory, const std::string& name) {
  return base::open_at(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
}

/// For prune. At most once an hour, so that a start does not write to the disk.
void note_use(int directory, const std::string& name, int artifact) {
  constexpr std::time_t kHour = 3600;
  struct stat status{};
  if (::fstat(artifact, &status) != 0 || ::time(nullptr) - status.st_atime < kHour) return;
  const std::array<timespec, 2> times = {timespec{0, UTIME_NOW}, timespec{0, UTIME_OMIT}};
  ::utimensat(directory, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
}

std::string descriptor_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

base::Result<base::Sha256> parse_key(const std::string& text) {
  base::Sha256 out{};
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  if (text.size() != 2 * out.size()) {
    return base::fail(base::ErrorKind::Invalid, "cache key \"" + text + "\": not 64 digits");
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) {
      return base::fail(base::ErrorKind::Invalid, "cache key \"" + text + "\": not hexadecimal");
    }
    out[i] = static_cast<std::byte>(high * 16 + low);
  }
  return out;
}

}  // namespace

std::string default_directory() {
  if (const char* chosen = std::getenv("WHERRY_CACHE_DIR"); chosen != nullptr && *chosen != '\0') {
    return chosen;
  }
  if (::geteuid() == 0) return "/var/lib/wherry/aot";
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return std::string(cache) + "/wherry/aot";
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : "/nonexistent") + "/.cache/wherry/aot";
}

base::Result<Cache> Cache::open(const std::string& directory) {
  base::Result<base::UniqueFd> present = base::open_file(directory, O_RDONLY | O_DIRECTORY);
  if (!present && present.error().kind() == base::ErrorKind::NotFound) {
    TRY(base::make_directories(directory.substr(0, directory.rfind('/')), 0755));
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
      return base::fail_errno("mkdir", directory);
    }
    present = base::open_file(directory, O_RDONLY | O_DIRECTORY);
  }
  const base::UniqueFd top = TRY(base::with_context(std::move(present), "open cache"));
  TRY(check_owner(top.get(), 077, directory));
  base::UniqueFd artifacts = TRY(open_directory(top.get(), "artifacts"));
  base::UniqueFd locks = TRY(open_directory(top.get(), "locks"));
  base::UniqueFd digests = TRY(open_directory(top.get(), "digests"));
  const NodeKey key = TRY(base::with_context(load_or_create_key(top.get()), "open cache"));
  return Cache(std::move(artifacts), std::move(locks), std::move(digests), key);
}

std::optional<base::UniqueFd> Cache::open_verified(const base::Sha256& key) const {
  const std::string name = base::to_hex(key);
  const base::UniqueFd view = read_only_view(artifacts_.get());
  // Not to wait for the other end of a FIFO.
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
  base::Result<base::UniqueFd> fd =
      base::open_at(view ? view.get() : artifacts_.get(), name, kFlags);
  if (!fd) {
    if (fd.error().sys_errno() == ELOOP) ::unlinkat(artifacts_.get(), name.c_str(), 0);
    return std::nullopt;
  }
  if (!check(fd->get(), key, key_, name)) {
    ::unlinkat(artifacts_.get(), name.c_str(), 0);
    return std::nullopt;
  }
  return std::move(*fd);
}

std::optional<base::UniqueFd> Cache::find(const base::Sha256& key) const {
  std::optional<base::UniqueFd> found = open_verified(key);
  if (found) note_use(artifacts_.get(), base::to_hex(key), found->get());
  return found;
}

base::Result<Flight> Cache::begin_flight(const base::Sha256& key) const {
  const std::string name = base::to_hex(key);
  while (true) {
    base::UniqueFd lock = TRY(open_lock(locks_.get(), name));
    while (::flock(lock.get(), LOCK_EX) != 0) {
      if (errno != EINTR) return base::fail_errno("flock", name);
    }
    if (TRY(base::stat_fd(lock.get(), name)).st_nlink > 0) return Flight(std::move(lock));
  }
}

base::Result<Flight> Cache::begin_turn(std::chrono::milliseconds patience) const {
  constexpr int kTurns = 4;
  constexpr std::chrono::milliseconds kPause{20};
  const auto impatient = std::chrono::steady_clock::now() + patience;
  std::array<base::UniqueFd, kTurns> locks;
  for (int i = 0; i < kTurns; ++i) {
    locks[static_cast<std::size_t>(i)] = TRY(open_lock(locks_.get(), "turn." + std::to_string(i)));
  }
  while (true) {
    const std::size_t choice = std::chrono::steady_clock::now() < impatient ? 1 : locks.size();
    for (std::size_t i = 0; i < choice; ++i) {
      if (::flock(locks[i].get(), LOCK_EX | LOCK_NB) == 0) return Flight(std::move(locks[i]));
    }
    std::this_thread::sleep_for(kPause);
  }
}

base::Result<base::UniqueFd> Cache::new_file() const {
  return base::open_at(artifacts_.get(), ".", O_TMPFILE | O_RDWR, 0600);
}

base::Result<base::UniqueFd> Cache::publish(base::UniqueFd file, const base::Sha256& key) const {
  const std::string name = base::to_hex(key);
  TRY(authenticate(file.get(), key, key_));
  if (::fchmod(file.get(), 0444) != 0) return base::fail_errno("fchmod", name);
  if (::fsync(file.get()) != 0) return base::fail_errno("fsync", name);
  if (::linkat(AT_FDCWD, descriptor_path(file.get()).c_str(), artifacts_.get(), name.c_str(),
               AT_SYMLINK_FOLLOW) != 0 &&
      errno != EEXIST) {
    return base::fail_errno("linkat", name);
  }
  // Not `file` itself, which is writable; and if another was first, theirs.
  file.reset();
  auto found = find(key);
  if (!found) return base::fail(base::ErrorKind::Internal, "published artifact is gone: " + name);
  return std::move(*found);
}

base::Result<base::Sha256> Cache::digest_of(int module, std::string_view subject) const {
  const std::optional<std::string> name = file_identity(module);
  if (name) {
    if (const auto known = read_digest(digests_.get(), *name, key_)) return *known;
  }
  const base::Sha256 digest = TRY(base::sha256_of_file(module, subject));
  // The file's identity after hashing must be that before, or it changed meanwhile.
  if (name && is_settled(module) && file_identity(module) == name) {
    write_digest(digests_.get(), *name, digest, key_);
  }
  return digest;
}

base::Result<std::vector<Entry>> Cache::list() const {
  std::vector<Entry> out;
  for (const std::string& name : TRY(names_in(artifacts_.get(), "artifacts"))) {
    const auto key = parse_key(name);
    if (!key) continue;
    const std::optional<base::UniqueFd> fd = open_verified(*key);
    if (!fd) continue;
    const struct stat status = TRY(base::stat_fd(fd->get(), name));
    const base::Mapping mapping =
        TRY(base::Mapping::of_file(fd->get(), artifact::kMaxFileSize, name));
    const artifact::Artifact parsed = TRY(artifact::Artifact::parse(mapping.bytes()));
    out.push_back({name, mapping.size(), base::to_hex(parsed.header().module_digest),
                   std::string(parsed.compiler()), std::string(parsed.target_cpu()),
                   status.st_atime});
  }
  return out;
}

base::Result<void> Cache::verify(const std::string& key) const {
  const base::Sha256 parsed_key = TRY(parse_key(key));
  const std::optional<base::UniqueFd> fd = open_verified(parsed_key);
  if (!fd) return base::fail(base::ErrorKind::NotFound, "no artifact " + key);
  const base::Mapping mapping = TRY(base::Mapping::of_file(fd->get(), artifact::kMaxFileSize, key));
  const artifact::Artifact parsed = TRY(artifact::Artifact::parse(mapping.bytes()));
  for (std::size_t part = 0; part < artifact::kParts; ++part) {
    TRY(base::with_context(artifact::verify_part(parsed, static_cast<artifact::Part>(part)), key));
  }
  return {};
}

base::Result<bool> Cache::remove(const std::string& key) const {
  TRY(parse_key(key));
  if (::unlinkat(artifacts_.get(), key.c_str(), 0) == 0) return true;
  if (errno == ENOENT) return false;
  return base::fail_errno("unlink", key);
}

}  // namespace engine::cache
