#include "shim/bootstrap/socket.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <span>

#include "base/file.hpp"
#include "base/sha256.hpp"
#include "oci/json/document.hpp"

namespace shim::bootstrap {
namespace {

constexpr std::array<std::string_view, 2> kGroupAnnotations{"io.containerd.runc.v2.group",
                                                            "io.kubernetes.cri.sandbox-id"};

sockaddr_un name_of(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.data(), path.size());
  return name;
}

base::Result<base::UniqueFd> new_socket() {
  base::UniqueFd out(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!out) return base::fail_errno("socket");
  return out;
}

/// False when the name is taken.
base::Result<bool> try_bind(int socket, const std::string& path) {
  const sockaddr_un name = name_of(path);
  // Safety: the sockets API takes every kind of address as a sockaddr.
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0) return true;
  if (errno == EADDRINUSE) return false;
  return base::fail_errno("bind", path);
}

base::Result<bool> is_served(const std::string& path) {
  const base::UniqueFd probe = TRY(new_socket());
  if (::fcntl(probe.get(), F_SETFL, O_NONBLOCK) != 0) return base::fail_errno("fcntl");
  const sockaddr_un name = name_of(path);
  // Safety: as above.
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0)
    return true;
  if (errno == EAGAIN) return true;  // its backlog is full
  if (errno == ECONNREFUSED || errno == ENOENT) return false;
  return base::fail_errno("connect", path);
}

/// Until the descriptor is closed.
base::Result<base::UniqueFd> lock_directory(const std::string& directory) {
  base::UniqueFd lock = TRY(base::open_file(directory, O_RDONLY | O_DIRECTORY));
  while (::flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return base::fail_errno("flock", directory);
  }
  return lock;
}

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

/// As socket_path() makes it, and containerd's own shims do.
bool is_socket_name(std::string_view name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == name.npos;
}

/// Of this network namespace: whoever has bound one of them may be about to listen.
base::Result<std::string> bound_sockets() {
  constexpr std::size_t kMax = std::size_t{16} << 20;
  return base::read_file("/proc/net/unix", kMax);
}

}  // namespace

base::Result<std::string> grouping(const std::string& bundle, const std::string& id) {
  const std::string path = bundle + "/config.json";
  base::Result<std::string> read = base::read_file(path, oci::json::kMaxBytes);
  // A sandbox that is left to the shim has none.
  if (!read && read.error().sys_errno() == ENOENT) return id;
  const std::string text = TRY(std::move(read));
  const auto document = TRY(base::with_context(oci::json::Document::parse(text), path));
  const auto annotations = document.root().find("annotations");
  if (!annotations) return id;
  for (const std::string_view key : kGroupAnnotations) {
    const auto value = annotations->find(key);
    if (value && value->string()) return std::string(*value->string());
  }
  return id;
}

base::Result<std::string> socket_path(std::string_view directory,
                                      std::string_view containerd_address,
                                      std::string_view name_space, std::string_view group) {
  const std::string joined =
      std::string(containerd_address) + '/' + std::string(name_space) + '/' + std::string(group);
  std::string clean = std::filesystem::path(joined).lexically_normal();
  if (clean.size() > 1 && clean.ends_with('/')) clean.pop_back();
  std::string path(directory);
  path += '/';
  path += base::to_hex(base::sha256(std::as_bytes(std::span(clean))));
  if (path.size() > kMaxSocketPath) {
    return base::fail(base::ErrorKind::LimitExceeded, "socket path too long: " + path);
  }
  return path;
}

base::Result<std::optional<base::UniqueFd>> claim_socket(const std::string& path) {
  if (path.size() > kMaxSocketPath) {
    return base::fail(base::ErrorKind::LimitExceeded, "socket path too long: " + path);
  }
  TRY(base::make_directories(directory_of(path), 0700));
  const base::UniqueFd lock = TRY(lock_directory(directory_of(path)));
  base::UniqueFd socket = TRY(new_socket());
  // The file takes its mode from the socket at bind: it is never open to others, not for a moment.
  if (::fchmod(socket.get(), 0600) != 0) return base::fail_errno("fchmod", path);
  if (!TRY(try_bind(socket.get(), path))) {
    if (TRY(is_served(path))) return std::nullopt;
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return base::fail_errno("unlink", path);
    if (!TRY(try_bind(socket.get(), path))) {
      return base::fail(base::ErrorKind::AlreadyExists, "somebody else took " + path);
    }
  }
  if (::listen(socket.get(), SOMAXCONN) != 0) return base::fail_errno("listen", path);
  return socket;
}

base::Result<void> sweep_sockets(const std::string& own) {
  const std::string directory = directory_of(own);
  const base::UniqueFd lock = TRY(lock_directory(directory));
  const std::string bound = TRY(bound_sockets());
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    const std::string path = at->path();
    if (!is_socket_name(path.substr(directory.size() + 1)) || bound.find(path) != bound.npos) {
      continue;
    }
    const auto served = is_served(path);
    if (served && !*served) ::unlink(path.c_str());
  }
  return {};
}

base::Result<bool> retire_socket(const std::string& path, const std::function<bool()>& is_wanted) {
  const base::UniqueFd lock = TRY(lock_directory(directory_of(path)));
  if (is_wanted()) return false;
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return base::fail_errno("unlink", path);
  return true;
}

}  // namespace shim::bootstrap
