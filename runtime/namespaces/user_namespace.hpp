// Which user namespace the caller is in: user_namespaces(7).
#pragma once

#include <string_view>

namespace runtime::namespaces {

/// Is this text of /proc/<pid>/uid_map that of the initial user namespace, all ids onto themselves?
bool maps_everything(std::string_view uid_map);

/// Root of the initial user namespace. False for ordinary users and for who is root in a user
/// namespace only, as everything is that a rootless podman starts.
bool is_host_root();

}  // namespace runtime::namespaces
