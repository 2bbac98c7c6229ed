// The container's root directory, of which everything inside may be hostile: all paths resolve
// beneath it by openat2(2), and whatever is made is made on descriptors (CVE-2021-30465,
// CVE-2024-45310, CVE-2026-41579).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace runtime::rootfs {

class Root {
 public:
  explicit Root(base::UniqueFd directory) : directory_(std::move(directory)) {}

  int fd() const { return directory_.get(); }
  /// openat2 in the root; see base/open_in_root.hpp.
  base::Result<base::UniqueFd> open(std::string_view path, std::uint64_t flags) const;
  /// The directory, made with its parents (0755) where it does not exist. A link whose target does
  /// not exist is followed, inside the root, and the target is made: as images expect that bind
  /// /etc/resolv.conf through one.
  base::Result<base::UniqueFd> make_directories(std::string_view path) const;
  /// The file as O_PATH, made empty with its parents where nothing exists there.
  base::Result<base::UniqueFd> make_file(std::string_view path) const;
  /// The directory that holds the last component of `path`, made if need be.
  base::Result<base::UniqueFd> make_parent(std::string_view path) const;

 private:
  base::Result<base::UniqueFd> make(std::string_view path, bool is_file) const;

  base::UniqueFd directory_;
};

/// The last component of a clean path: "/dev/null" -> "null".
std::string base_name(std::string_view path);

}  // namespace runtime::rootfs
