// containerd.task.v2 and .v3: one set of messages under two names of the service. Which request and
// which answer belong to a method says methods.def.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "shim/protocol/types.hpp"
#include "shim/protocol/well_known.hpp"

namespace shim::protocol {

struct CreateTaskRequest {
  std::string id;
  std::string bundle;
  std::vector<Mount> rootfs;
  bool terminal = false;
  /// Here and below: a path of a FIFO or a URI (binary:, file:); empty means /dev/null.
  std::string stdin_path;
  std::string stdout_path;
  std::string stderr_path;
  std::string checkpoint;
  std::string parent_checkpoint;
  std::optional<Any> options;
};

struct CreateTaskResponse {
  std::uint32_t pid = 0;
};

struct StartRequest {
  std::string id;
  /// Here and below: empty for the container's init.
  std::string exec_id;
};

struct StartResponse {
  std::uint32_t pid = 0;
};

struct StateRequest {
  std::string id;
  std::string exec_id;
};

struct StateResponse {
  std::string id;
  std::string bundle;
  std::uint32_t pid = 0;
  TaskStatus status = TaskStatus::Unknown;
  std::string stdin_path;
  std::string stdout_path;
  std::string stderr_path;
  bool terminal = false;
  /// 128 + signal for a process that a signal ended.
  std::uint32_t exit_status = 0;
  std::optional<Timestamp> exited_at;
  std::string exec_id;
};

struct DeleteRequest {
  std::string id;
  std::string exec_id;
};

struct DeleteResponse {
  std::uint32_t pid = 0;
  std::uint32_t exit_status = 0;
  std::optional<Timestamp> exited_at;
};

struct ExecProcessRequest {
  std::string id;
  std::string exec_id;
  bool terminal = false;
  std::string stdin_path;
  std::string stdout_path;
  std::string stderr_path;
  /// JSON of kProcessType.
  std::optional<Any> spec;
};

struct ResizePtyRequest {
  std::string id;
  std::string exec_id;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
};

struct KillRequest {
  std::string id;
  std::string exec_id;
  std::uint32_t signal = 0;
  bool all = false;
};

struct CloseIORequest {
  std::string id;
  std::string exec_id;
  bool close_stdin = false;
};

struct PidsRequest {
  std::string id;
};

struct PidsResponse {
  std::vector<ProcessInfo> processes;
};

struct CheckpointTaskRequest {
  std::string id;
  std::string path;
  /// CheckpointOptions (options.hpp).
  std::optional<Any> options;
};

struct UpdateTaskRequest {
  std::string id;
  /// JSON of kResourcesType.
  std::optional<Any> resources;
  std::map<std::string, std::string> annotations;
};

struct WaitRequest {
  std::string id;
  std::string exec_id;
};

struct WaitResponse {
  std::uint32_t exit_status = 0;
  std::optional<Timestamp> exited_at;
};

struct StatsRequest {
  std::string id;
};

struct StatsResponse {
  /// cgroup1::Metrics or cgroup2::Metrics.
  std::optional<Any> stats;
};

struct ConnectRequest {
  std::string id;
};

struct ConnectResponse {
  std::uint32_t shim_pid = 0;
  std::uint32_t task_pid = 0;
  std::string version;
};

struct ShutdownRequest {
  std::string id;
  bool now = false;
};

struct PauseRequest {
  std::string id;
};

struct ResumeRequest {
  std::string id;
};

}  // namespace shim::protocol
