// The protocol is sd_notify(3): datagrams of lines; "READY=1" is one, "BARRIER=1" comes with a pipe
// whose other end the manager closes.
#include "runtime/container/notify.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string_view>

#include "base/descriptor_passing.hpp"

namespace runtime::container {
namespace {

constexpr const char* kInContainer = "/run/notify";
constexpr const char* kVariable = "NOTIFY_SOCKET=";
constexpr const char* kName = "/notify.sock";
constexpr std::size_t kMaxDatagram = 4096;  ///< what is longer says nothing that we pass on
constexpr int kBarrierMilliseconds = 30000;

struct Address {
  sockaddr_un name{};
  socklen_t size = 0;

  const sockaddr* get() const {
    // Safety: the sockets API takes every address family as a sockaddr.
    return reinterpret_cast<const sockaddr*>(&name);
  }
};

base::Result<Address> address_of(const std::string& path) {
  Address out;
  out.name.sun_family = AF_UNIX;
  if (path.empty() || (path[0] != '/' && path[0] != '@') ||
      path.size() >= sizeof(out.name.sun_path)) {
    return base::fail(base::ErrorKind::Invalid, "NOTIFY_SOCKET: \"" + path + "\" is no address");
  }
  std::memcpy(out.name.sun_path, path.data(), path.size());
  if (path[0] == '@') out.name.sun_path[0] = '\0';  // unix(7), abstract
  out.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  return out;
}

base::Result<base::UniqueFd> datagram_socket() {
  base::UniqueFd out(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!out) return base::fail_errno("socket", "AF_UNIX");
  return out;
}

base::Result<base::UniqueFd> connect_to(const Address& manager) {
  base::UniqueFd out = TRY(datagram_socket());
  if (::connect(out.get(), manager.get(), manager.size) != 0) {
    return base::fail_errno("connect", "NOTIFY_SOCKET");
  }
  return out;
}

bool says_ready(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (text.substr(0, end) == "READY=1") return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

/// False when the container ended first.
base::Result<bool> wait_until_ready(int socket, int container) {
  std::array<char, kMaxDatagram> text;
  while (true) {
    std::array<pollfd, 2> waits{pollfd{socket, POLLIN, 0}, pollfd{container, POLLIN, 0}};
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return base::fail_errno("poll", "notify socket");
    }
    const ssize_t got = ::recv(socket, text.data(), text.size(), MSG_DONTWAIT);
    if (got > 0 && says_ready({text.data(), static_cast<std::size_t>(got)})) return true;
    // What it said before it ended has been read first.
    if (got < 0 && waits[1].revents != 0) return false;
  }
}

base::Result<void> say(int manager, std::string_view text, int passed = -1) {
  static_cast<void>(TRY(base::send_with_descriptor(manager, text, passed, "NOTIFY_SOCKET")));
  return {};
}

/// Until the manager has read everything before: it closes the end of the pipe that it gets.
base::Result<void> wait_for_manager(int manager) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail_errno("pipe2");
  const base::UniqueFd ours(ends[0]);
  base::UniqueFd theirs(ends[1]);
  TRY(say(manager, "BARRIER=1", theirs.get()));
  theirs.reset();
  pollfd wait{ours.get(), 0, 0};  // POLLHUP comes unasked
  ::poll(&wait, 1, kBarrierMilliseconds);
  return {};
}

}  // namespace

base::Result<void> prepare_notify(oci::Spec& spec, const std::string& directory) {
  if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
    return base::fail_errno("mkdir", directory);
  }
  spec.mounts.push_back({.destination = kInContainer,
                         .type = "bind",
                         .source = directory,
                         .options = {"bind", "nosuid", "noexec", "nodev", "ro"},
                         .uid_mappings = {},
                         .gid_mappings = {}});
  std::vector<std::string>& env = spec.process->env;
  std::erase_if(env, [](const std::string& each) { return each.starts_with(kVariable); });
  env.push_back(kVariable + std::string(kInContainer) + kName);
  return {};
}

base::Result<NotifySocket> NotifySocket::listen(const std::string& directory) {
  const std::string path = directory + kName;
  base::UniqueFd socket = TRY(datagram_socket());
  // sockaddr_un is short and state directories are not: by way of the directory's descriptor.
  const base::UniqueFd place(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!place) return base::fail_errno("open", directory);
  const std::string near = "/proc/self/fd/" + std::to_string(place.get()) + kName;
  const Address address = TRY(address_of(near));
  if (::unlink(near.c_str()) != 0 && errno != ENOENT) return base::fail_errno("unlink", path);
  if (::bind(socket.get(), address.get(), address.size) != 0) return base::fail_errno("bind", path);
  // Whatever user the program runs as.
  if (::chmod(near.c_str(), 0777) != 0) return base::fail_errno("chmod", path);
  return NotifySocket(std::move(socket));
}

base::Result<void> NotifySocket::forward(const std::string& manager, int container,
                                         pid_t main) const {
  const Address address = TRY(address_of(manager));
  if (!TRY(wait_until_ready(socket_.get(), container))) return {};
  const base::UniqueFd out = TRY(connect_to(address));
  if (main <= 0) return say(out.get(), "READY=1\n");
  TRY(say(out.get(), "MAINPID=" + std::to_string(main) + "\nREADY=1\n"));
  return wait_for_manager(out.get());
}

base::Result<void> NotifySocket::forward_beside(const std::string& manager, int container) const {
  const pid_t pid = ::fork();
  if (pid < 0) return base::fail_errno("fork");
  if (pid > 0) return {};
  static_cast<void>(forward(manager, container, 0));
  ::_exit(0);
}

}  // namespace runtime::container
