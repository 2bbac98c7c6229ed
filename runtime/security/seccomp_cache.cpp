#include "runtime/security/seccomp_cache.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "base/file.hpp"
#include "base/sha256.hpp"
#include "oci/write.hpp"
#include "runtime/security/seccomp_compile.hpp"

namespace runtime::security {
namespace {

constexpr char kMagic[8] = {'W', 'H', 'R', 'Y', 'B', 'P', 'F', '\0'};
constexpr std::size_t kMaxEntries = 256;

struct Header {
  char magic[8];
  std::uint64_t instructions;
  base::Sha256 digest;
};
static_assert(sizeof(Header) == 48);
static_assert(sizeof(sock_filter) == 8);

std::span<const std::byte> bytes_of(const std::vector<sock_filter>& filter) {
  return std::as_bytes(std::span(filter));
}

bool is_ours_alone(const struct stat& file) {
  return file.st_uid == ::geteuid() && (file.st_mode & 077) == 0;
}

base::Result<std::vector<sock_filter>> read_entry(int directory, const std::string& key) {
  const base::UniqueFd file =
      TRY(base::open_at(directory, key, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  const struct stat info = TRY(base::stat_fd(file.get(), key));
  constexpr std::size_t kMaxSize = sizeof(Header) + BPF_MAXINSNS * sizeof(sock_filter);
  const auto refuse = [] { return base::fail(base::ErrorKind::Invalid, "not a seccomp filter"); };
  if (!S_ISREG(info.st_mode) || !is_ours_alone(info)) return refuse();
  const std::string bytes = TRY(base::read_all(file.get(), kMaxSize, key));
  if (bytes.size() <= sizeof(Header)) return refuse();

  Header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  const std::string_view body = std::string_view(bytes).substr(sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0 ||
      header.instructions != body.size() / sizeof(sock_filter) ||
      body.size() % sizeof(sock_filter) != 0) {
    return refuse();
  }
  std::vector<sock_filter> filter(body.size() / sizeof(sock_filter));
  std::memcpy(filter.data(), body.data(), body.size());
  if (base::sha256(bytes_of(filter)) != header.digest) return refuse();
  return filter;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

/// Removes all entries when there are too many: the profiles of a node are few.
base::Result<void> make_room(int directory) {
  base::UniqueFd own = TRY(base::open_at(directory, ".", O_RDONLY | O_DIRECTORY));
  const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(own.get()));
  if (!stream) return base::fail_errno("fdopendir", "seccomp cache");
  (void)own.release();  // the stream's now
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream.get())) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  if (names.size() < kMaxEntries) return {};
  for (const std::string& name : names) ::unlinkat(directory, name.c_str(), 0);
  return {};
}

}  // namespace

SeccompCache::Key SeccompCache::key_of(const oci::Seccomp& profile) {
  oci::Seccomp relevant = profile;
  relevant.listener_path.clear();
  relevant.listener_metadata.clear();
  relevant.flags.reset();
  const std::string text =
      "wherry seccomp filter 2\n" + libseccomp_version() + "\n" + oci::to_json(relevant);
  return base::to_hex(base::sha256(std::as_bytes(std::span(text))));
}

base::Result<SeccompCache> SeccompCache::open(const std::string& directory) {
  TRY(base::make_directories(directory, 0700));
  base::UniqueFd fd = TRY(base::open_file(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const struct stat info = TRY(base::stat_fd(fd.get(), directory));
  if (!is_ours_alone(info)) {
    return base::fail(base::ErrorKind::Invalid,
                      "seccomp cache " + directory + " is not the user's alone (mode 0700)");
  }
  return SeccompCache(std::move(fd));
}

std::optional<std::vector<sock_filter>> SeccompCache::find(const Key& key) const {
  auto filter = read_entry(directory_.get(), key);
  if (filter) return *std::move(filter);
  if (filter.error().kind() != base::ErrorKind::NotFound) {
    ::unlinkat(directory_.get(), key.c_str(), 0);
  }
  return std::nullopt;
}

base::Result<void> SeccompCache::store(const Key& key,
                                       const std::vector<sock_filter>& filter) const {
  TRY(make_room(directory_.get()));
  const base::UniqueFd file = TRY(base::open_at(directory_.get(), ".", O_WRONLY | O_TMPFILE, 0600));
  Header header{{}, filter.size(), base::sha256(bytes_of(filter))};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  TRY(base::write_all(file.get(), std::as_bytes(std::span(&header, 1)), key));
  TRY(base::write_all(file.get(), bytes_of(filter), key));
  const std::string source = "/proc/self/fd/" + std::to_string(file.get());
  if (::linkat(AT_FDCWD, source.c_str(), directory_.get(), key.c_str(), AT_SYMLINK_FOLLOW) != 0 &&
      errno != EEXIST) {
    return base::fail_errno("linkat", key);
  }
  return {};
}

}  // namespace runtime::security
