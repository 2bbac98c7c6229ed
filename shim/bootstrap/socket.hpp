// The shim's socket: its name, and how `start` finds out whether the pod has a shim already.
// docs/formats/shim-bootstrap.md.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace shim::bootstrap {

inline constexpr char kSocketDirectory[] = "/run/containerd/s";
/// A Unix socket's name in Go has no room for more (sun_path holds 108).
inline constexpr std::size_t kMaxSocketPath = 106;

/// Which containers share a shim: from the annotations in the bundle's config.json, else the id
/// (also of a bundle without one: a sandbox that containerd leaves to the shim).
base::Result<std::string> grouping(const std::string& bundle, const std::string& id);

/// The same path as other shims would have. LimitExceeded when the directory is too long.
base::Result<std::string> socket_path(std::string_view directory,
                                      std::string_view containerd_address,
                                      std::string_view name_space, std::string_view group);

/// A listening socket at `path` (0600, blocking, close-on-exec); or nothing, when somebody serves
/// it already. Makes the directory (0700). Of several processes that call this at once, one gets
/// the socket.
base::Result<std::optional<base::UniqueFd>> claim_socket(const std::string& path);

/// At the shim's end, while it still listens. Under the lock of claim_socket(), so that this never
/// takes the name from a socket of somebody else. False, and the name stays, when `is_wanted` says
/// so: whoever has found the socket served until now has connected to it.
base::Result<bool> retire_socket(const std::string& path, const std::function<bool()>& is_wanted);

/// Removes the names of sockets beside `own` that nobody has bound or serves. A `start` that is
/// killed together with the shim that it has just made leaves one, and containerd asks for no
/// `delete` then.
base::Result<void> sweep_sockets(const std::string& own);

}  // namespace shim::bootstrap
