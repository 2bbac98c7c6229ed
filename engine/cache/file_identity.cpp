#include "engine/cache/file_identity.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <ctime>
#include <string_view>

#include "base/file.hpp"

// Linux 6.5: a handle that only identifies; also from file systems that cannot open by handle.
#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200
#endif

namespace engine::cache {
namespace {

constexpr time_t kSettleSeconds = 2;

template <typename T>
void append(std::string& out, const T& value) {
  // Safety: bytes of a trivially copyable value.
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

/// The handle's type and bytes. An overlay's holds the lower file's handle with the lower file
/// system's UUID; another file system's is unique only together with its device number.
std::optional<std::string> handle_of(int fd, dev_t device) {
  alignas(file_handle) std::array<char, sizeof(file_handle) + MAX_HANDLE_SZ> buffer{};
  // Safety: the buffer is aligned for the head, which has the bytes behind it.
  auto* const handle = reinterpret_cast<file_handle*>(buffer.data());
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount = 0;
  if (::name_to_handle_at(fd, "", handle, &mount, AT_EMPTY_PATH | AT_HANDLE_FID) != 0) {
    return std::nullopt;
  }
  constexpr int kOverlayHandle = 0xf8;  // FILEID_OVERLAY, linux/exportfs.h
  std::string out;
  append(out, handle->handle_type);
  if (handle->handle_type != kOverlayHandle) append(out, device);
  out.append(buffer.data() + sizeof(file_handle), handle->handle_bytes);
  return out;
}

std::string record_of(const std::string& name, const base::Sha256& digest,
                      const NodeKey& node_key) {
  // Safety: char may alias any object.
  const std::string text(reinterpret_cast<const char*>(digest.data()), digest.size());
  const std::string message = name + text;
  const base::Sha256 mac = base::hmac_sha256(node_key, std::as_bytes(std::span(message)));
  return text + std::string(reinterpret_cast<const char*>(mac.data()), mac.size());
}

}  // namespace

std::optional<std::string> file_identity(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return std::nullopt;
  std::optional<std::string> identity = handle_of(fd, status.st_dev);
  if (!identity) return std::nullopt;
  append(*identity, status.st_size);
  append(*identity, status.st_mtim);
  append(*identity, status.st_ctim);
  return base::to_hex(base::sha256(std::as_bytes(std::span(*identity))));
}

bool is_settled(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && ::time(nullptr) - status.st_ctime > kSettleSeconds;
}

std::optional<base::Sha256> read_digest(int directory, const std::string& name,
                                        const NodeKey& node_key) {
  const auto fd = base::open_at(directory, name, O_RDONLY | O_NOFOLLOW);
  if (!fd) return std::nullopt;
  base::Sha256 digest{};
  const auto record = base::read_all(fd->get(), 2 * digest.size(), name);
  if (!record || record->size() != 2 * digest.size()) return std::nullopt;
  std::memcpy(digest.data(), record->data(), digest.size());
  if (record_of(name, digest, node_key) != *record) return std::nullopt;
  return digest;
}

void write_digest(int directory, const std::string& name, const base::Sha256& digest,
                  const NodeKey& node_key) {
  const auto fd = base::open_at(directory, ".", O_TMPFILE | O_WRONLY, 0600);
  if (!fd || !base::write_all(fd->get(), record_of(name, digest, node_key), name)) return;
  const std::string self = "/proc/self/fd/" + std::to_string(fd->get());
  ::unlinkat(directory, name.c_str(), 0);
  // Best effort; glibc wants the result looked at.
  if (::linkat(AT_FDCWD, self.c_str(), directory, name.c_str(), AT_SYMLINK_FOLLOW) != 0) return;
}

}  // namespace engine::cache
