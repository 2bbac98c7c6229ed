// criu's RPC messages as plain data, and their encoding: docs/formats/criu.md.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace runtime::checkpoint {

enum class RequestType : std::uint32_t {
  Empty = 0,
  Dump = 1,
  Restore = 2,
  PreDump = 4,
  Notify = 6,
  FeatureCheck = 9,
  Version = 10,
};

enum class CgroupMode : std::uint32_t { Ignore = 0, Soft = 3, Full = 4, Strict = 5, Default = 6 };

/// A key and what it stands for; also of namespaces and page servers.
struct Pair {
  std::string key;
  std::string value;

  bool operator==(const Pair&) const = default;
};

struct InheritedDescriptor {
  std::string key;
  int number = 0;  ///< in criu's process

  bool operator==(const InheritedDescriptor&) const = default;
};

struct PageServer {
  std::string address;
  int port = 0;
};

/// criu_opts. Members that hold their default are not sent.
struct RpcOptions {
  int images_directory = -1;  ///< descriptor of the calling process
  int work_directory = -1;    ///< the same; -1: that of the images
  pid_t pid = 0;
  bool leave_running = false;
  bool external_unix_sockets = false;
  bool tcp_established = false;
  bool tcp_skip_in_flight = false;
  bool evasive_devices = false;
  bool shell_job = false;
  bool file_locks = false;
  std::string log_file;
  std::optional<PageServer> page_server;
  std::string root;
  std::string parent_image;
  bool auto_dedup = false;
  bool link_remap = false;
  bool lazy_pages = false;
  std::vector<Pair> external_mounts;
  CgroupMode cgroup_mode = CgroupMode::Default;
  std::vector<Pair> cgroup_roots;  ///< controller, path
  bool restore_as_sibling = false;
  std::vector<InheritedDescriptor> inherited;
  std::vector<std::string> external;
  std::uint64_t empty_namespaces = 0;   ///< CLONE_NEW*
  std::vector<Pair> joined_namespaces;  ///< type, file
  std::string freezer;
  std::string config_file;
  std::string lsm_profile;
  std::string lsm_mount_context;
};

struct Features {
  bool memory_tracking = false;
  bool lazy_pages = false;
};

struct Response {
  RequestType type = RequestType::Empty;
  bool success = false;
  std::string script;  ///< of a notification
  pid_t pid = 0;       ///< of a notification
  int error = 0;
  std::string error_text;
  Features features;
  int version = 0;  ///< 31701 is 3.17.1
};

std::string encode_request(RequestType type, const RpcOptions& options);
/// VERSION, which has no options.
std::string encode_version_request();
std::string encode_feature_check(const Features& wanted);
/// The answer to a notification.
std::string encode_consent();

/// Invalid for what is no criu_resp.
base::Result<Response> decode_response(std::string_view bytes);

/// "DUMP", as criu's own texts have it.
std::string_view name_of(RequestType type);

}  // namespace runtime::checkpoint
