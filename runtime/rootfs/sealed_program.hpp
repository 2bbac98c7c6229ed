// A program of ours that a container may look at but never change (CVE-2019-5736). Container
// processes can reach the file behind /proc/<pid>/exe; it must not be the host's.
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace runtime::rootfs {

/// The file `path` seen through an overlayfs without an upper layer: never writable, whoever asks,
/// and its pages are the host file's own, shared by every container. Where overlayfs is not to be
/// had, a sealed memfd(2) copy. For execveat(2) with AT_EMPTY_PATH.
base::Result<base::UniqueFd> open_sealed(const std::string& path);

/// Whether the running program was started from such a descriptor, or lies on a file system that is
/// mounted read-only.
bool self_is_sealed();

}  // namespace runtime::rootfs
