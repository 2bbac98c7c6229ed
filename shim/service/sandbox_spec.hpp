// The container that holds a pod's namespaces when there is no pause container: this program's own
// pause() in an empty root.
#pragma once

#include <string>

#include "oci/spec.hpp"
#include "shim/protocol/pod_sandbox.hpp"
#include "shim/protocol/sandbox.hpp"

namespace shim::service {

/// argv[0] of a program that shall only hold namespaces (main.cpp).
inline constexpr char kPauseName[] = "wherry-pause";

/// Its root: a directory with an empty `dev` that all pods share and none can write to. Not in the
/// bundle, where a pod's own user namespace may not look.
inline constexpr char kPauseRoot[] = "/run/wherry-pause";

/// The modes of its namespaces; the defaults where the message says nothing.
protocol::NamespaceOption namespaces_of(const protocol::PodSandboxConfig& config);

/// Pure. `user_namespace` is the path of the one to join; empty: the host's. Sysctls that
/// containerd sets for every pod with a network of its own are set here too: unprivileged ports and
/// pings.
oci::Spec sandbox_spec(const protocol::CreateSandboxRequest& request,
                       const protocol::PodSandboxConfig& config, const std::string& user_namespace);

}  // namespace shim::service
