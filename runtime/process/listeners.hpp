// Listening sockets that a guest finds open at its start: for containers those of the annotation
// dev.wherry/listen (docs/formats/annotations.md), made inside the container's namespaces.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "oci/process.hpp"

namespace runtime::process {

/// An internet address with its port, or a path.
struct ListenAddress {
  std::string text;  ///< as it was written, for errors
  sockaddr_storage address{};
  socklen_t size = 0;
  bool any_family = false;  ///< no address was given: IPv6 with IPv4, or IPv4 alone
  std::string path;         ///< of a unix socket; else empty
};

inline constexpr const char* kListenAnnotation = "dev.wherry/listen";
inline constexpr std::size_t kMaxListeners = 64;

/// "tcp:8080", "tcp:127.0.0.1:8080", "tcp:[::1]:8080", "unix:/run/app.sock". Invalid with the text.
base::Result<ListenAddress> parse_listener(std::string_view text);
/// A list with commas; blanks around its items are skipped. LimitExceeded above kMaxListeners.
base::Result<std::vector<ListenAddress>> parse_listeners(std::string_view text);

/// Socket, bind, listen; close-on-exec, SO_REUSEADDR, and TCP_NODELAY for what it accepts. In the
/// caller's network namespace. A unix socket is made below the caller's root with the rights of
/// `user`, takes the place of an older socket, and changes the working directory to "/".
base::Result<base::UniqueFd> open_listener(const ListenAddress& listener, const oci::User& user);

}  // namespace runtime::process
