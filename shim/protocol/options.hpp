// What a container's or checkpoint's creator asks of the runtime: containerd.runc.v1.Options,
// .CheckpointOptions and runtimeoptions.v1.Options.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace shim::protocol {

/// containerd.runc.v1.Options.
struct RuncOptions {
  static constexpr char kTypeName[] = "containerd.runc.v1.Options";
  bool no_pivot_root = false;
  bool no_new_keyring = false;
  std::string shim_cgroup;
  std::uint32_t io_uid = 0;
  std::uint32_t io_gid = 0;
  std::string binary_name;
  std::string root;
  bool systemd_cgroup = false;
  std::string criu_image_path;
  std::string criu_work_path;
  std::string task_api_address;
  std::uint32_t task_api_version = 0;
  bool operator==(const RuncOptions&) const = default;
};

/// runtimeoptions.v1.Options: what CRI sends for every handler that is not runc's.
struct RuntimeOptions {
  static constexpr char kTypeName[] = "runtimeoptions.v1.Options";
  std::string type_url;
  std::string config_path;
  /// The handler's options table, as TOML.
  std::string config_body;
};

/// containerd.runc.v1.CheckpointOptions.
struct CheckpointOptions {
  static constexpr char kTypeName[] = "containerd.runc.v1.CheckpointOptions";
  bool exit = false;
  bool open_tcp = false;
  bool external_unix_sockets = false;
  bool terminal = false;
  bool file_locks = false;
  std::vector<std::string> empty_namespaces;
  std::string cgroups_mode;
  std::string image_path;
  std::string work_path;
};

}  // namespace shim::protocol
