// containerd.events.Task* and the service that takes them. An event travels as the Any of an
// Envelope; its topic is Event::kTopic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shim/protocol/types.hpp"
#include "shim/protocol/well_known.hpp"

namespace shim::protocol {

struct TaskIO {
  std::string stdin_path;
  std::string stdout_path;
  std::string stderr_path;
  bool terminal = false;
};

struct TaskCreate {
  static constexpr char kTypeName[] = "containerd.events.TaskCreate";
  static constexpr char kTopic[] = "/tasks/create";
  std::string container_id;
  std::string bundle;
  std::vector<Mount> rootfs;
  std::optional<TaskIO> io;
  std::string checkpoint;
  std::uint32_t pid = 0;
};

struct TaskStart {
  static constexpr char kTypeName[] = "containerd.events.TaskStart";
  static constexpr char kTopic[] = "/tasks/start";
  std::string container_id;
  std::uint32_t pid = 0;
};

struct TaskDelete {
  static constexpr char kTypeName[] = "containerd.events.TaskDelete";
  static constexpr char kTopic[] = "/tasks/delete";
  std::string container_id;
  std::uint32_t pid = 0;
  std::uint32_t exit_status = 0;
  std::optional<Timestamp> exited_at;
  /// The exec's, or empty for init.
  std::string id;
};

struct TaskExit {
  static constexpr char kTypeName[] = "containerd.events.TaskExit";
  static constexpr char kTopic[] = "/tasks/exit";
  std::string container_id;
  /// The container's for init, the exec's for an exec.
  std::string id;
  std::uint32_t pid = 0;
  std::uint32_t exit_status = 0;
  std::optional<Timestamp> exited_at;
};

struct TaskOOM {
  static constexpr char kTypeName[] = "containerd.events.TaskOOM";
  static constexpr char kTopic[] = "/tasks/oom";
  std::string container_id;
};

struct TaskExecAdded {
  static constexpr char kTypeName[] = "containerd.events.TaskExecAdded";
  static constexpr char kTopic[] = "/tasks/exec-added";
  std::string container_id;
  std::string exec_id;
};

struct TaskExecStarted {
  static constexpr char kTypeName[] = "containerd.events.TaskExecStarted";
  static constexpr char kTopic[] = "/tasks/exec-started";
  std::string container_id;
  std::string exec_id;
  std::uint32_t pid = 0;
};

struct TaskPaused {
  static constexpr char kTypeName[] = "containerd.events.TaskPaused";
  static constexpr char kTopic[] = "/tasks/paused";
  std::string container_id;
};

struct TaskResumed {
  static constexpr char kTypeName[] = "containerd.events.TaskResumed";
  static constexpr char kTopic[] = "/tasks/resumed";
  std::string container_id;
};

struct TaskCheckpointed {
  static constexpr char kTypeName[] = "containerd.events.TaskCheckpointed";
  static constexpr char kTopic[] = "/tasks/checkpointed";
  std::string container_id;
  std::string checkpoint;
};

/// containerd.types.Envelope. The daemon refuses one without time, namespace or topic.
struct Envelope {
  std::optional<Timestamp> timestamp;
  std::string name_space;
  std::string topic;
  std::optional<Any> event;
};

struct ForwardRequest {
  std::optional<Envelope> envelope;
};

}  // namespace shim::protocol
