// Snapshots of pods with a user namespace: containerd asks for them by the mount options uidmap=
// and gidmap= ("container:host:size", several separated by commas), which no file system knows. The
// layers are then mounted with MOUNT_ATTR_IDMAP (mount_setattr(2)) and not changed on disk.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "oci/spec.hpp"

namespace shim::service {

struct LayerMaps {
  std::vector<oci::IdMapping> uids;
  std::vector<oci::IdMapping> gids;
  bool empty() const { return uids.empty() && gids.empty(); }
};

/// Pure: takes both options out of `parameters`. Invalid for what cannot be read, and for
/// one without the other.
base::Result<LayerMaps> take_layer_maps(std::vector<std::string>& parameters);

/// A user namespace for set_idmap.
base::Result<base::UniqueFd> namespace_of(const LayerMaps& maps);

/// An overlay at `target` whose lower layers are seen through `maps`. On failure something may stay
/// mounted there. Changes the working directory.
base::Result<void> mount_mapped_overlay(const std::vector<std::string>& parameters,
                                        const LayerMaps& maps, unsigned long flags,
                                        const std::string& target);

}  // namespace shim::service
