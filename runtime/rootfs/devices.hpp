// /dev of a container: device nodes and the links that runtime-spec runtime-linux.md "Dev symbolic
// links" wants. Every node is made on the descriptor of its directory.
#pragma once

#include "runtime/rootfs/mount_plan.hpp"
#include "runtime/rootfs/root.hpp"

namespace runtime::rootfs {

/// Changes the umask of the process while it runs.
base::Result<void> make_devices(const RootfsPlan& plan, const Root& root);
/// fd, stdin, stdout, stderr, core and ptmx; what the image has under these names is replaced only
/// where it is ptmx.
base::Result<void> make_device_links(const Root& root);

}  // namespace runtime::rootfs
