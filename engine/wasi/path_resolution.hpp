// The only way from a guest's path to a file. The kernel resolves every path itself, with
// openat2(2) under RESOLVE_BENEATH or RESOLVE_IN_ROOT and without /proc's magic links; no path is
// walked or normalised here. What openat2 cannot do (mkdir, unlink, rename, ...) is done with its
// parent directory, found in that way, and one component, by calls that do not follow a last
// component.
#pragma once

#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "engine/wasi/descriptor.hpp"

namespace engine::wasi {

/// openat2(2) with `flags`, O_CLOEXEC, and the sandbox's RESOLVE_ flags besides those of `resolve`.
/// `path` has no NUL in it. One that leaves the directory, or its mount if RESOLVE_NO_XDEV forbids
/// that: Perm. Without openat2 in kernel or seccomp profile this fails, as all of the functions on
/// paths then do.
Result<base::UniqueFd> open_path(const Descriptor& directory, const std::string& path, int flags,
                                 mode_t mode = 0, std::uint64_t resolve = 0);

/// A last component and the directory that it is in.
struct Place {
  int directory = -1;  ///< `parent`, or the given directory itself
  base::UniqueFd parent;
  /// Never empty, no '/' in it but for one at its end when the path had some there. Only for calls
  /// that leave a link in this place alone, with the slash too: mkdirat, unlinkat, renameat2,
  /// symlinkat, and linkat's new name.
  std::string name;

  std::string name_without_slash() const { return name.substr(0, name.find('/')); }
  bool must_be_directory() const { return name.back() == '/'; }
};

/// NoEnt for an empty path, Inval for one of slashes only.
Result<Place> find_place(const Descriptor& directory, std::string_view path);

/// NotCapable for files through which a guest could reach the memory of its own process, or change
/// the kernel's view of it: procfs files that are opened for writing, and those that not everybody
/// may read (mem, pagemap, auxv, ...). /proc/self/mem is no magic link: openat2 does not stop it.
Result<void> check_openable(int fd, bool writing);

}  // namespace engine::wasi
