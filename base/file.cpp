#include "base/file.hpp"

#include <fcntl.h>

#include <cstdio>

namespace base {
namespace {

template <typename Container>
Result<Container> read_into(int fd, std::size_t limit, std::string_view subject) {
  Container out;
  struct stat status{};
  std::size_t chunk = 16384;
  if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size > limit) {
      return fail(ErrorKind::LimitExceeded, "read " + std::string(subject) + ": " +
                                                std::to_string(size) + " bytes, the limit is " +
                                                std::to_string(limit));
    }
    chunk = size + 1;  // one more, so that the end is seen without a second round
  }
  std::size_t used = 0;
  while (true) {
    out.resize(used + chunk);
    const ssize_t got = ::read(fd, out.data() + used, chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("read", subject);
    used += static_cast<std::size_t>(got);
    if (used > limit) {
      return fail(ErrorKind::LimitExceeded, "read " + std::string(subject) + ": more than " +
                                                std::to_string(limit) + " bytes");
    }
    if (got == 0) break;
    chunk = 16384;
  }
  out.resize(used);
  return out;
}

}  // namespace

Result<UniqueFd> open_at(int dir, const std::string& path, int flags, mode_t mode) {
  while (true) {
    const int fd = ::openat(dir, path.c_str(), flags | O_CLOEXEC, mode);
    if (fd >= 0) return UniqueFd(fd);
    if (errno != EINTR) return fail_errno("open", path);
  }
}

Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode) {
  return open_at(AT_FDCWD, path, flags, mode);
}

Result<std::string> read_all(int fd, std::size_t limit, std::string_view subject) {
  return read_into<std::string>(fd, limit, subject);
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const UniqueFd fd = TRY(open_file(path, O_RDONLY));
  return read_into<std::string>(fd.get(), limit, path);
}

Result<std::vector<std::byte>> read_file_bytes(const std::string& path, std::size_t limit) {
  const UniqueFd fd = TRY(open_file(path, O_RDONLY));
  return read_into<std::vector<std::byte>>(fd.get(), limit, path);
}

Result<void> write_all(int fd, std::span<const std::byte> bytes, std::string_view subject) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return fail_errno("write", subject);
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
  return {};
}

Result<void> write_all(int fd, std::string_view text, std::string_view subject) {
  return write_all(fd, std::as_bytes(std::span(text)), subject);
}

Result<void> write_existing(const std::string& path, std::string_view text) {
  const UniqueFd fd = TRY(open_file(path, O_WRONLY));
  return write_all(fd.get(), text, path);
}

Result<void> write_atomic(const std::string& path, std::string_view text, mode_t mode,
                          bool durable) {
  const std::string temporary = path + ".tmp." + std::to_string(::getpid());
  {
    const UniqueFd fd = TRY(open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode));
    if (Result<void> written = write_all(fd.get(), text, temporary); !written) {
      ::unlink(temporary.c_str());
      return written;
    }
    if (durable && ::fsync(fd.get()) != 0) {
      auto error = fail_errno("fsync", temporary);
      ::unlink(temporary.c_str());
      return error;
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    auto error = fail_errno("rename", path);
    ::unlink(temporary.c_str());
    return error;
  }
  return {};
}

Result<struct stat> stat_fd(int fd, std::string_view subject) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail_errno("fstat", subject);
  return status;
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  for (std::size_t at = 1; at <= path.size(); ++at) {
    if (at != path.size() && path[at] != '/') continue;
    const std::string prefix = path.substr(0, at);
    if (::mkdir(prefix.c_str(), mode) != 0 && errno != EEXIST) return fail_errno("mkdir", prefix);
  }
  return {};
}

}  // namespace base
