#include "runtime/checkpoint/plan.hpp"

#include <sched.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "runtime/checkpoint/criu.hpp"
#include "runtime/checkpoint/stdio.hpp"

namespace runtime::checkpoint {
namespace {

constexpr const char* kNullDevice = "/dev/null";

/// runc's: what an administrator has set there counts here too.
std::string config_file(const oci::Spec& spec) {
  const auto own = spec.annotations.find("org.criu.config");
  return own == spec.annotations.end() ? "/etc/criu/runc.conf" : own->second;
}

RpcOptions common(const Options& options, const oci::Spec& spec) {
  RpcOptions out;
  out.external_unix_sockets = options.external_unix_sockets;
  out.tcp_established = options.tcp_established;
  out.shell_job = options.shell_job;
  out.file_locks = options.file_locks;
  out.auto_dedup = options.auto_dedup;
  out.lazy_pages = options.lazy_pages;
  out.cgroup_mode = options.cgroup_mode;
  // Network devices are whoever's who made them.
  out.empty_namespaces = CLONE_NEWNET;
  out.config_file = config_file(spec);
  return out;
}

void add_cgroups(const rootfs::RootfsPlan& plan, const std::string& destination,
                 std::vector<Pair>& out) {
  if (plan.is_cgroup_v2 && plan.cgroups.size() == 1) {
    out.push_back({destination, plan.cgroups.begin()->second});
    return;
  }
  for (const auto& [name, directory] : plan.cgroups) {
    std::string where = destination;
    where += '/';
    where += name;
    out.push_back({std::move(where), directory});
  }
}

struct NamespaceName {
  oci::NamespaceType type;
  const char* name;
  const char* key;  ///< nullptr: criu joins it by its path
};
constexpr std::array kNamespaces{
    NamespaceName{oci::NamespaceType::Network, "net", "extRootNetNS"},
    NamespaceName{oci::NamespaceType::Pid, "pid", "extRootPidNS"},
    NamespaceName{oci::NamespaceType::Mount, "mnt", nullptr},
    NamespaceName{oci::NamespaceType::Ipc, "ipc", nullptr},
    NamespaceName{oci::NamespaceType::Uts, "uts", nullptr},
    NamespaceName{oci::NamespaceType::User, "user", nullptr},
    NamespaceName{oci::NamespaceType::Time, "time", nullptr},
};

void add_new(std::vector<std::string>& list, std::string item) {
  if (std::ranges::find(list, item) == list.end()) list.push_back(std::move(item));
}

}  // namespace

std::vector<Pair> outside_mounts(const rootfs::RootfsPlan& plan) {
  std::vector<Pair> out;
  for (const rootfs::PlannedMount& mount : plan.mounts) {
    if (mount.kind == rootfs::MountKind::Bind) out.push_back({mount.destination, mount.source});
    if (mount.kind == rootfs::MountKind::Cgroup) add_cgroups(plan, mount.destination, out);
  }
  if (!plan.binds_devices) return out;
  for (const rootfs::DeviceNode& node : plan.devices) out.push_back({node.path, node.path});
  return out;
}

RpcOptions plan_dump(const Options& options, const oci::Spec& spec, const DumpFacts& facts) {
  RpcOptions out = common(options, spec);
  out.images_directory = facts.images_directory;
  out.work_directory = facts.work_directory;
  out.pid = facts.pid;
  out.root = facts.root;
  out.log_file = "dump.log";
  out.leave_running = options.leave_running;
  out.tcp_skip_in_flight = options.tcp_skip_in_flight;
  out.link_remap = options.link_remap;
  out.page_server = options.page_server;
  out.parent_image = options.parent_path;
  for (const char* controller : {"freezer", ""}) {
    const auto path = facts.cgroup.find(controller);
    if (out.freezer.empty() && path != facts.cgroup.end()) out.freezer = path->second;
  }
  for (const NamespaceName& each : kNamespaces) {
    const oci::Namespace* const joined = spec.linux.find_namespace(each.type);
    const auto inode = facts.namespaces.find(each.name);
    if (each.key == nullptr || joined == nullptr || joined->path.empty()) continue;
    if (inode == facts.namespaces.end()) continue;
    out.external.push_back(std::string(each.name) + '[' + std::to_string(inode->second) +
                           "]:" + each.key);
  }
  for (const std::string& key : facts.stdio) {
    if (is_external_file(key)) add_new(out.external, key);
  }
  // A pre-dump is of memory alone.
  if (options.pre_dump) return out;
  for (const Pair& each : facts.outside) out.external_mounts.push_back({each.key, each.key});
  for (const std::string& path : facts.masked) out.external_mounts.push_back({path, kNullDevice});
  return out;
}

RpcOptions plan_restore(const Options& options, const oci::Spec& spec, const RestoreFacts& facts) {
  RpcOptions out = common(options, spec);
  out.images_directory = facts.images_directory;
  out.work_directory = facts.work_directory;
  out.root = facts.root;
  out.log_file = "restore.log";
  out.evasive_devices = true;
  out.restore_as_sibling = true;
  out.external_mounts = facts.outside;
  if (!spec.linux.masked_paths.empty()) out.external_mounts.push_back({kNullDevice, kNullDevice});
  out.cgroup_roots = facts.cgroup_roots;
  for (std::size_t i = 0; i < facts.passed.size(); ++i) {
    out.inherited.push_back({facts.passed[i], kFirstPassed + static_cast<int>(i)});
  }
  for (std::size_t i = 0; i < facts.stdio.size() && i < 3; ++i) {
    const bool is_known = std::ranges::find(out.inherited, facts.stdio[i],
                                            &InheritedDescriptor::key) != out.inherited.end();
    if (is_known || !is_inheritable(facts.stdio[i])) continue;
    out.inherited.push_back({facts.stdio[i], static_cast<int>(i)});
  }
  for (const NamespaceName& each : kNamespaces) {
    const oci::Namespace* const joined = spec.linux.find_namespace(each.type);
    if (each.key != nullptr || joined == nullptr || joined->path.empty()) continue;
    out.joined_namespaces.push_back({each.name, joined->path});
  }
  out.lsm_profile = options.lsm_profile;
  out.lsm_mount_context = options.lsm_mount_context;
  return out;
}

base::Result<std::vector<OutsideNamespace>> outside_namespaces(const oci::Spec& spec) {
  const oci::Namespace* const cgroup = spec.linux.find_namespace(oci::NamespaceType::Cgroup);
  if (cgroup != nullptr && !cgroup->path.empty()) {
    return base::fail(base::ErrorKind::Unsupported,
                      "linux.namespaces: criu cannot restore into a cgroup namespace that exists");
  }
  std::vector<OutsideNamespace> out;
  for (const NamespaceName& each : kNamespaces) {
    const oci::Namespace* const joined = spec.linux.find_namespace(each.type);
    if (each.key == nullptr || joined == nullptr || joined->path.empty()) continue;
    out.push_back({each.name, each.key, joined->path});
  }
  return out;
}

std::vector<Pair> parse_cgroup_roots(std::string_view text) {
  std::vector<Pair> out;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string path(line.substr(second + 1));
    do {
      const std::string_view each = controllers.substr(0, controllers.find(','));
      controllers.remove_prefix(std::min(each.size() + 1, controllers.size()));
      out.push_back({std::string(each), path});
    } while (!controllers.empty());
  }
  return out;
}

base::Result<CgroupMode> parse_cgroup_mode(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, CgroupMode>, 5> kModes{{
      {"", CgroupMode::Default},
      {"soft", CgroupMode::Soft},
      {"full", CgroupMode::Full},
      {"strict", CgroupMode::Strict},
      {"ignore", CgroupMode::Ignore},
  }};
  for (const auto& [name, mode] : kModes) {
    if (name == text) return mode;
  }
  return base::fail(base::ErrorKind::Invalid, "invalid manage-cgroups-mode value");
}

base::Result<PageServer> parse_page_server(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) {
    return base::fail(base::ErrorKind::Invalid,
                      "Use --page-server ADDRESS:PORT to specify page server");
  }
  PageServer out{std::string(text.substr(0, colon)), 0};
  if (out.address.size() > 2 && out.address.front() == '[' && out.address.back() == ']') {
    out.address = out.address.substr(1, out.address.size() - 2);
  }
  const std::string_view port = text.substr(colon + 1);
  constexpr int kLargestPort = 65535;
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (parsed.ec != std::errc{} || parsed.ptr != port.data() + port.size() || out.port <= 0 ||
      out.port > kLargestPort) {
    return base::fail(base::ErrorKind::Invalid, "Invalid port number");
  }
  return out;
}

}  // namespace runtime::checkpoint
