// uid_map and gid_map of a new user namespace: user_namespaces(7), "User and group ID mappings".
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "oci/spec.hpp"

namespace runtime::namespaces {

/// One line a mapping: "container host size".
std::string map_text(const std::vector<oci::IdMapping>& mappings);

/// Written for `pid` by its parent. Unprivileged callers use newuidmap and newgidmap (found in
/// PATH), or, for a single mapping to their own ids, write it themselves after giving up
/// setgroups(2).
base::Result<void> write_id_maps(int procfs, pid_t pid, const oci::Linux& section);

/// A user namespace with these mappings that no process is in, for an idmapped mount.
base::Result<base::UniqueFd> make_mapped_namespace(int procfs,
                                                   const std::vector<oci::IdMapping>& uids,
                                                   const std::vector<oci::IdMapping>& gids);

}  // namespace runtime::namespaces
