// What criu is asked for, made of config.json, the caller's options and a few facts, without
// touching anything: docs/formats/criu.md.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "oci/spec.hpp"
#include "runtime/cgroup/placement.hpp"
#include "runtime/checkpoint/options.hpp"
#include "runtime/checkpoint/rpc.hpp"
#include "runtime/rootfs/mount_plan.hpp"

namespace runtime::checkpoint {

/// Mounts whose content is not the container's: key: where, value: what is mounted there. Binds,
/// the cgroups of `plan.cgroups`, and device nodes of user namespaces.
std::vector<Pair> outside_mounts(const rootfs::RootfsPlan& plan);

struct DumpFacts {
  pid_t pid = 0;
  std::string root;
  cgroup::Paths cgroup;
  int images_directory = -1;
  int work_directory = -1;
  std::vector<Pair> outside;        ///< outside_mounts(), links resolved
  std::vector<std::string> masked;  ///< masked paths that are files
  std::vector<std::string> stdio;
  /// Inodes of init's namespaces, by their names in /proc/<pid>/ns.
  std::map<std::string, std::uint64_t> namespaces;
};

RpcOptions plan_dump(const Options& options, const oci::Spec& spec, const DumpFacts& facts);

struct RestoreFacts {
  std::string root;  ///< a mount point
  int images_directory = -1;
  int work_directory = -1;
  std::vector<Pair> outside;
  std::vector<std::string> stdio;  ///< of descriptors.json
  std::vector<Pair> cgroup_roots;
  /// Keys of what criu gets from kFirstPassed on.
  std::vector<std::string> passed;
};

RpcOptions plan_restore(const Options& options, const oci::Spec& spec, const RestoreFacts& facts);

/// A namespace of config.json that exists outside of the image, which criu takes as a descriptor.
struct OutsideNamespace {
  std::string name;  ///< in /proc/<pid>/ns
  std::string key;
  std::string path;
};
/// Those of network and pid. Unsupported: a cgroup namespace to join, which criu cannot.
base::Result<std::vector<OutsideNamespace>> outside_namespaces(const oci::Spec& spec);

/// The lines of /proc/<pid>/cgroup as criu wants them: one pair for each controller.
std::vector<Pair> parse_cgroup_roots(std::string_view text);

/// "", "soft", "full", "strict" or "ignore".
base::Result<CgroupMode> parse_cgroup_mode(std::string_view text);
/// "ADDRESS:PORT", "[::1]:PORT".
base::Result<PageServer> parse_page_server(std::string_view text);

}  // namespace runtime::checkpoint
