#include "runtime/security/seccomp_agent.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cstring>
#include <string_view>

#include "base/unique_fd.hpp"

namespace runtime::security {
namespace {

base::Result<base::UniqueFd> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return base::fail(base::ErrorKind::Invalid, "socket path " + path + " is too long");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  base::UniqueFd connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!connection) return base::fail_errno("socket", path);
  // Holds for connect as well (unix(7) sockets wait for room in the backlog).
  const timeval patience{10, 0};
  if (::setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0) {
    return base::fail_errno("setsockopt", path);
  }
  // Safety: the cast that connect(2) asks for.
  if (::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
      0) {
    return base::fail_errno("connect", path);
  }
  return connection;
}

/// How much of the text went with the descriptor.
base::Result<std::size_t> send_with_descriptor(int connection, std::string_view text,
                                               int descriptor, const std::string& path) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)] = {};
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  const ssize_t sent = ::sendmsg(connection, &message, MSG_NOSIGNAL);
  if (sent < 0) return base::fail_errno("sendmsg", path);
  return static_cast<std::size_t>(sent);
}

}  // namespace

base::Result<void> send_seccomp_listener(const std::string& path,
                                         const oci::ContainerProcessState& state, int listener) {
  const base::UniqueFd connection = TRY(base::with_context(
      connect_to(path), "failed to connect with seccomp agent specified in the seccomp profile"));
  const std::string text = oci::to_json(state);
  std::string_view rest = text;
  rest.remove_prefix(TRY(send_with_descriptor(connection.get(), rest, listener, path)));
  while (!rest.empty()) {
    const ssize_t sent = ::send(connection.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0) return base::fail_errno("send", path);
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

}  // namespace runtime::security
