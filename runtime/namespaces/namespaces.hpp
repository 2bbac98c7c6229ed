// Which namespaces a container gets, and how a process comes into them: namespaces(7), setns(2),
// runtime-spec 1.3.0 config-linux.md "Namespaces".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "oci/spec.hpp"

namespace runtime::namespaces {

/// The CLONE_NEW* flag of a type.
std::uint64_t clone_flag(oci::NamespaceType type);
/// Its file in /proc/<pid>/ns: "net".
std::string file_name(oci::NamespaceType type);

struct Join {
  std::uint64_t flag = 0;
  std::string path;
};

/// A type in neither list is the parent's.
struct Plan {
  /// Made by clone3 for the container's process.
  std::uint64_t cloned = 0;
  /// The cgroup namespace is made by the process itself once it is in its cgroup, because that
  /// becomes its root.
  bool unshares_cgroup = false;
  /// The time namespace is made by an intermediate process, because its clocks are set before the
  /// first process enters it.
  bool unshares_time = false;
  std::vector<Join> joined;
  /// An intermediate process joins first and then clones the container's.
  bool needs_intermediate = false;
  /// For /proc/self/timens_offsets.
  std::string time_offsets;

  bool is_new(std::uint64_t flag) const { return (cloned & flag) != 0; }
  bool has(std::uint64_t flag) const;
};

Plan plan(const oci::Linux& section);

struct OpenNamespace {
  std::uint64_t flag = 0;
  base::UniqueFd file;
  std::string path;
};

/// Opens what is to be joined, on the host's side, and checks that each file is a namespace of its
/// type: Invalid otherwise.
base::Result<std::vector<OpenNamespace>> open_joined(const Plan& plan);
/// Enters them; pid and time count for children only. A user namespace is entered when those that
/// belong to the outer one have been, and those that need its rights have not.
base::Result<void> join(const std::vector<OpenNamespace>& list);

/// setns(2) with a pidfd: everything of `pid` that the caller does not share yet, in one call.
/// `procfs` is the root of a procfs instance that numbers `pid` so. The flags that were entered.
base::Result<std::uint64_t> join_process(int procfs, int pidfd, pid_t pid);

}  // namespace runtime::namespaces
