// What the containers of a pod without a pause container share besides namespaces: /etc/hostname,
// /etc/hosts, /etc/resolv.conf and /dev/shm. For other pods containerd makes them itself.
#pragma once

#include <string>

#include "base/result.hpp"
#include "oci/spec.hpp"
#include "shim/protocol/pod_sandbox.hpp"

namespace shim::service {

/// Not in the bundle, whose parents are closed to the root of a pod's own user namespace.
inline constexpr char kPodsDirectory[] = "/run/wherry-pods/";

struct PodFiles {
  std::string directory;  ///< kPodsDirectory and the sandbox's id
  bool has_shm = false;   ///< else the pod uses the host's
};

/// Pure: resolv.conf(5). Empty without servers, searches and options: the host's is meant.
std::string resolv_conf(const protocol::DNSConfig& dns);

/// Writes the files, mounts the tmpfs.
base::Result<void> make_pod_files(const PodFiles& files, const protocol::PodSandboxConfig& config);
/// Nothing left is no error.
base::Result<void> remove_pod_files(const std::string& sandbox_id);

/// Pure: mounts of the files where the container has none of its own; /dev/shm of the pod takes the
/// place of a container's private one.
void add_pod_mounts(oci::Spec& spec, const PodFiles& files);

/// The same in <bundle>/config.json.
base::Result<void> add_pod_mounts(const std::string& bundle, const PodFiles& files);

}  // namespace shim::service
