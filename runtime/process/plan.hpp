// Everything that the process which becomes a container (or joins one) has to know, decided by the
// parent beforehand. It is handed over by fork: the child reads the parent's memory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "oci/spec.hpp"
#include "oci/state.hpp"
#include "runtime/namespaces/namespaces.hpp"
#include "runtime/namespaces/net_devices.hpp"
#include "runtime/process/executable.hpp"
#include "runtime/rootfs/mount_plan.hpp"
#include "runtime/security/capabilities.hpp"
#include "runtime/security/seccomp.hpp"

namespace runtime::process {

/// Only for a container's first process.
struct Creation {
  namespaces::Plan namespaces;
  std::vector<namespaces::OpenNamespace> joined;
  std::vector<namespaces::MovedDevice> net_devices;  ///< come before the process goes on
  rootfs::RootfsPlan rootfs;
  oci::State state;     ///< for the hooks that run in the container
  base::UniqueFd fifo;  ///< O_PATH of exec.fifo; empty: the parent says when to execute
  std::string keyring;  ///< name of a new session keyring; empty: keep the caller's
};

/// Only for a further process of a running container.
struct Joining {
  base::UniqueFd pidfd;
  pid_t pid = 0;
};

struct Plan {
  const oci::Spec* spec = nullptr;
  oci::Process process;
  std::optional<Creation> creation;
  std::optional<Joining> joining;
  security::CapabilityPlan capabilities;
  std::optional<security::SeccompProgram> seccomp;
  Executable executable;
  base::UniqueFd procfs;  ///< the host's, verified; in the child a private one, where possible
  int preserved = 0;      ///< descriptors from 3 on that stay open
  bool has_user_namespace = false;
};

/// The root of the host's procfs, verified to be one (CVE-2019-16884).
base::Result<base::UniqueFd> open_procfs();

}  // namespace runtime::process
