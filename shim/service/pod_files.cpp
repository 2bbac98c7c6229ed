#include "shim/service/pod_files.hpp"

#include <sys/mount.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/file.hpp"
#include "oci/parse.hpp"
#include "oci/write.hpp"
#include "shim/service/rootfs_mounts.hpp"

namespace shim::service {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20;
constexpr mode_t kMode = 0644;
constexpr char kShm[] = "/dev/shm";
constexpr char kShmOptions[] = "mode=1777,size=65536k";

struct PodFile {
  const char* name;
  const char* destination;
};

constexpr PodFile kFiles[] = {
    {"/hostname", "/etc/hostname"},
    {"/hosts", "/etc/hosts"},
    {"/resolv.conf", "/etc/resolv.conf"},
};

std::string line(std::string_view keyword, const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    out += out.empty() ? keyword : std::string_view(" ");
    out += word;
  }
  if (!out.empty()) out += '\n';
  return out;
}

std::string host_file(const std::string& path) {
  return base::read_file(path, kMaxFile).value_or(std::string());
}

std::string host_name() {
  utsname names{};
  return ::uname(&names) == 0 ? names.nodename : "";
}

/// With the container's ids, so that its root may write to them.
oci::Mount bind(const oci::Spec& spec, const std::string& source, const char* destination,
                std::vector<std::string> options) {
  oci::Mount out;
  out.destination = destination;
  out.type = "bind";
  out.source = source;
  out.options = std::move(options);
  if (spec.linux.find_namespace(oci::NamespaceType::User) != nullptr) {
    out.uid_mappings = spec.linux.uid_mappings;
    out.gid_mappings = spec.linux.gid_mappings;
  }
  return out;
}

}  // namespace

std::string resolv_conf(const protocol::DNSConfig& dns) {
  std::string out = line("search ", dns.searches);
  for (const std::string& server : dns.servers) out += line("nameserver ", {server});
  return out + line("options ", dns.options);
}

base::Result<void> make_pod_files(const PodFiles& files, const protocol::PodSandboxConfig& config) {
  const std::string name = config.hostname.empty() ? host_name() : config.hostname;
  const std::string dns = config.dns_config ? resolv_conf(*config.dns_config) : std::string();
  TRY(base::make_directories(files.directory, 0755));
  TRY(base::write_atomic(files.directory + "/hostname", name + "\n", kMode));
  TRY(base::write_atomic(files.directory + "/hosts", host_file("/etc/hosts"), kMode));
  TRY(base::write_atomic(files.directory + "/resolv.conf",
                         dns.empty() ? host_file("/etc/resolv.conf") : dns, kMode));
  if (!files.has_shm) return {};
  const std::string shm = files.directory + "/shm";
  TRY(base::make_directories(shm, 0700));
  if (::mount("shm", shm.c_str(), "tmpfs", MS_NOEXEC | MS_NOSUID | MS_NODEV, kShmOptions) != 0) {
    return base::fail_errno("mount", shm);
  }
  return {};
}

base::Result<void> remove_pod_files(const std::string& sandbox_id) {
  const std::string directory = kPodsDirectory + sandbox_id;
  if (::access(directory.c_str(), F_OK) != 0) return {};  // every other container
  TRY(unmount_rootfs(directory + "/shm"));
  std::error_code error;
  std::filesystem::remove_all(directory, error);
  if (error) return std::unexpected(base::Error("remove", directory, error.value()));
  return {};
}

void add_pod_mounts(oci::Spec& spec, const PodFiles& files) {
  const auto has = [&spec](std::string_view destination) {
    return std::ranges::find(spec.mounts, destination, &oci::Mount::destination) !=
           spec.mounts.end();
  };
  const bool is_readonly = spec.root && spec.root->readonly;
  for (const PodFile& each : kFiles) {
    if (has(each.destination)) continue;
    spec.mounts.push_back(bind(spec, files.directory + each.name, each.destination,
                               {"rbind", "rprivate", is_readonly ? "ro" : "rw"}));
  }
  if (!files.has_shm) return;
  // A tmpfs is what every container has by default; anything else was asked for.
  std::erase_if(spec.mounts, [](const oci::Mount& mount) {
    return mount.destination == kShm && mount.type == "tmpfs";
  });
  if (has(kShm)) return;
  // Behind /dev, which is mounted before it.
  spec.mounts.push_back(bind(spec, files.directory + "/shm", kShm,
                             {"rbind", "rprivate", "nosuid", "noexec", "nodev"}));
}

base::Result<void> add_pod_mounts(const std::string& bundle, const PodFiles& files) {
  const std::string path = bundle + "/config.json";
  const std::string text = TRY(base::read_file(path, oci::kMaxConfigBytes));
  oci::Spec spec = TRY(base::with_context(oci::parse_spec(text), path));
  add_pod_mounts(spec, files);
  return base::write_atomic(path, oci::to_json(spec), 0600);
}

}  // namespace shim::service
