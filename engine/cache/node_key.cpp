#include "engine/cache/node_key.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "base/file.hpp"

namespace engine::cache {
namespace {

constexpr const char* kName = "key";

base::Result<NodeKey> read_key(int directory) {
  const base::UniqueFd fd = TRY(base::open_at(directory, kName, O_RDONLY | O_NOFOLLOW));
  const struct stat status = TRY(base::stat_fd(fd.get(), kName));
  if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 077) != 0) {
    return base::fail(base::ErrorKind::Invalid, "cache key: other owner, or open to others");
  }
  const std::string text = TRY(base::read_all(fd.get(), sizeof(NodeKey), kName));
  NodeKey key{};
  if (text.size() != key.size()) {
    return base::fail(base::ErrorKind::Invalid, "cache key: not 32 bytes");
  }
  std::memcpy(key.data(), text.data(), key.size());
  return key;
}

base::Result<void> create_key(int directory) {
  NodeKey key{};
  if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size())) {
    return base::fail_errno("getrandom", kName);
  }
  const base::UniqueFd fd = TRY(base::open_at(directory, ".", O_TMPFILE | O_RDWR, 0600));
  TRY(base::write_all(fd.get(), key, kName));
  if (::fsync(fd.get()) != 0) return base::fail_errno("fsync", kName);
  const std::string self = "/proc/self/fd/" + std::to_string(fd.get());
  if (::linkat(AT_FDCWD, self.c_str(), directory, kName, AT_SYMLINK_FOLLOW) != 0 &&
      errno != EEXIST) {
    return base::fail_errno("linkat", kName);
  }
  return {};
}

}  // namespace

base::Result<NodeKey> load_or_create_key(int directory) {
  base::Result<NodeKey> key = read_key(directory);
  if (key || key.error().kind() != base::ErrorKind::NotFound) return key;
  TRY(create_key(directory));
  return read_key(directory);
}

}  // namespace engine::cache
