#include "runtime/process/listeners.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

#include "base/file.hpp"
#include "base/open_in_root.hpp"

namespace runtime::process {
namespace {

constexpr int kBacklog = 4096;  // the kernel lowers it to net.core.somaxconn
constexpr std::size_t kMaxText = 4096;

std::unexpected<base::Error> wrong(std::string_view text) {
  return base::fail(
      base::ErrorKind::Invalid,
      '"' + std::string(text) +
          "\": expected tcp:PORT, tcp:ADDRESS:PORT, tcp:[ADDRESS]:PORT or unix:/PATH");
}

template <typename Address>
void set_address(ListenAddress& out, const Address& address) {
  static_assert(sizeof(Address) <= sizeof(out.address));
  std::memcpy(&out.address, &address, sizeof(address));
  out.size = sizeof(address);
}

bool set_ipv4(ListenAddress& out, const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return false;
  set_address(out, address);
  return true;
}

bool set_ipv6(ListenAddress& out, const std::string& host, std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  if (::inet_pton(AF_INET6, host.c_str(), &address.sin6_addr) != 1) return false;
  set_address(out, address);
  return true;
}

bool set_internet_address(ListenAddress& out, std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::string_view host = colon == std::string_view::npos ? "" : text.substr(0, colon);
  const std::string_view digits = text.substr(colon == std::string_view::npos ? 0 : colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0) return false;
  if (colon == std::string_view::npos) {
    out.any_family = true;
    return set_ipv6(out, "::", port);
  }
  if (!host.starts_with('[')) return set_ipv4(out, std::string(host), port);
  if (!host.ends_with(']')) return false;
  host = host.substr(1, host.size() - 2);
  return set_ipv6(out, std::string(host), port);
}

bool set_path(ListenAddress& out, std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const std::size_t name = path.size() - slash - 1;
  if (!path.starts_with('/') || name == 0 || name >= sizeof(sockaddr_un::sun_path)) return false;
  if (path.find('\0') != std::string_view::npos) return false;
  out.path = path;
  return true;
}

base::Result<void> listen_at(const base::UniqueFd& socket, const sockaddr* address,
                             socklen_t size) {
  if (::bind(socket.get(), address, size) != 0) return base::fail_errno("bind");
  if (::listen(socket.get(), kBacklog) != 0) return base::fail_errno("listen");
  return {};
}

base::Result<base::UniqueFd> make_socket(int family) {
  base::UniqueFd out(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!out) return base::fail_errno("socket");
  return out;
}

base::Result<base::UniqueFd> open_tcp(const ListenAddress& listener) {
  base::UniqueFd socket = TRY(make_socket(listener.address.ss_family));
  const int on = 1;
  const int off = 0;
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0) {
    return base::fail_errno("setsockopt");
  }
  if (listener.address.ss_family == AF_INET6) {
    const int& only = listener.any_family ? off : on;
    if (::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) != 0) {
      return base::fail_errno("setsockopt", "IPV6_V6ONLY");
    }
  }
  // Safety: bind(2)'s own idiom.
  TRY(listen_at(socket, reinterpret_cast<const sockaddr*>(&listener.address), listener.size));
  return socket;
}

/// Creates files as the container's user, without root's rights over them (setfsuid(2)).
class FileSystemIdentity {
 public:
  explicit FileSystemIdentity(const oci::User& user)
      : group_(::setfsgid(user.gid)), user_(::setfsuid(user.uid)) {}
  FileSystemIdentity(const FileSystemIdentity&) = delete;
  FileSystemIdentity& operator=(const FileSystemIdentity&) = delete;
  ~FileSystemIdentity() {
    ::setfsuid(static_cast<uid_t>(user_));
    ::setfsgid(static_cast<gid_t>(group_));
  }

 private:
  int group_;
  int user_;
};

/// The name alone is bound, in its directory: the directory is found without /proc's magic links,
/// through which a path could leave the root, and the name may be as long as an address has room.
base::Result<void> bind_in_directory(const base::UniqueFd& socket, const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const base::UniqueFd root = TRY(base::open_file("/", O_PATH | O_DIRECTORY));
  const base::UniqueFd directory =
      TRY(base::open_in_root(root.get(), path.substr(0, slash + 1), O_PATH | O_DIRECTORY));
  const std::string name = path.substr(slash + 1);
  struct stat older{};
  if (::fstatat(directory.get(), name.c_str(), &older, AT_SYMLINK_NOFOLLOW) == 0 &&
      S_ISSOCK(older.st_mode) && ::unlinkat(directory.get(), name.c_str(), 0) != 0) {
    return base::fail_errno("unlink", path);
  }
  if (::fchdir(directory.get()) != 0) return base::fail_errno("fchdir", path);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  // Safety: bind(2)'s own idiom.
  base::Result<void> done =
      listen_at(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  if (::chdir("/") != 0) return base::fail_errno("chdir", "/");
  return done;
}

base::Result<base::UniqueFd> open_unix(const ListenAddress& listener, const oci::User& user) {
  base::UniqueFd socket = TRY(make_socket(AF_UNIX));
  const FileSystemIdentity identity(user);
  TRY(bind_in_directory(socket, listener.path));
  return socket;
}

/// Where the kernel has no IPv6, an address that nobody gave is IPv4's.
base::Result<base::UniqueFd> open_any(const ListenAddress& listener) {
  auto both = open_tcp(listener);
  if (both ||
      (both.error().sys_errno() != EAFNOSUPPORT && both.error().sys_errno() != EADDRNOTAVAIL)) {
    return both;
  }
  sockaddr_in6 six{};
  std::memcpy(&six, &listener.address, sizeof(six));
  ListenAddress four = listener;
  set_ipv4(four, "0.0.0.0", ntohs(six.sin6_port));
  return open_tcp(four);
}

}  // namespace

base::Result<ListenAddress> parse_listener(std::string_view text) {
  ListenAddress out;
  out.text = text;
  const bool understood = text.starts_with("tcp:")
                              ? set_internet_address(out, text.substr(4))
                              : text.starts_with("unix:") && set_path(out, text.substr(5));
  if (!understood) return wrong(text);
  return out;
}

base::Result<std::vector<ListenAddress>> parse_listeners(std::string_view text) {
  std::vector<ListenAddress> out;
  if (text.size() > kMaxText) {
    return base::fail(base::ErrorKind::LimitExceeded, "more than 4096 bytes");
  }
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    std::string_view item = text.substr(at, end - at);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    out.push_back(TRY(parse_listener(item)));
    if (out.size() > kMaxListeners) {
      return base::fail(base::ErrorKind::LimitExceeded, "more than 64 listeners");
    }
    at = end + 1;
  }
  return out;
}

base::Result<base::UniqueFd> open_listener(const ListenAddress& listener, const oci::User& user) {
  const auto open = [&] {
    if (!listener.path.empty()) return open_unix(listener, user);
    return listener.any_family ? open_any(listener) : open_tcp(listener);
  };
  return base::with_context(open(), "listen on " + listener.text);
}

}  // namespace runtime::process
