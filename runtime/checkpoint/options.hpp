// What the caller of checkpoint or restore may choose: runc's flags.
#pragma once

#include <optional>
#include <string>

#include "runtime/checkpoint/rpc.hpp"

namespace runtime::checkpoint {

struct Options {
  std::string image_path;   ///< absolute
  std::string work_path;    ///< of criu's log; empty: the images' directory
  std::string parent_path;  ///< of an earlier pre-dump, relative to image_path; empty: none
  bool leave_running = false;
  bool tcp_established = false;
  bool tcp_skip_in_flight = false;
  bool link_remap = false;
  bool external_unix_sockets = false;
  bool shell_job = false;
  bool lazy_pages = false;
  bool file_locks = false;
  bool pre_dump = false;
  bool auto_dedup = false;
  int status_fd = -1;  ///< gets a zero byte when the lazy page server listens
  std::optional<PageServer> page_server;
  CgroupMode cgroup_mode = CgroupMode::Default;
  std::string lsm_profile;
  std::string lsm_mount_context;
};

}  // namespace runtime::checkpoint
