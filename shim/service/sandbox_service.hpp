// containerd.runtime.sandbox.v1.Sandbox: the pod itself, when containerd leaves it to the shim
// (sandboxer = "shim"). Its containers come by the Task service.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/cgroup/placement.hpp"
#include "shim/loop/children.hpp"
#include "shim/loop/operation.hpp"
#include "shim/protocol/codec.hpp"
#include "shim/protocol/methods.hpp"
#include "shim/protocol/pod_sandbox.hpp"
#include "shim/protocol/sandbox.hpp"
#include "shim/protocol/status.hpp"
#include "shim/service/pod_files.hpp"
#include "shim/service/replies.hpp"
#include "shim/service/runtime.hpp"
#include "shim/ttrpc/server.hpp"

namespace shim::service {

class SandboxService : private Replies {
 public:
  /// `choose_runtime` gives one whose containers run pause().
  SandboxService(loop::Operations& operations, ttrpc::Server& server, ChooseRuntime choose_runtime)
      : Replies(server), operations_(operations), choose_runtime_(std::move(choose_runtime)) {}

  void serve(const ttrpc::Call& call);
  /// A child of the shim's has ended; it may be another.
  void on_exit(const loop::Exit& exit);

  /// There is none, or ShutdownSandbox has removed it.
  bool is_empty() const { return !sandbox_; }
  /// It has ended, and its bundle is gone, as with TaskService.
  bool is_forgotten() const;
  bool has_live() const { return sandbox_ && !sandbox_->exited_at; }
  /// ShutdownSandbox was asked for.
  bool is_finished() const { return is_finished_; }
  /// Of the sandbox, for the pod's containers; nothing when containerd has a pause container.
  std::optional<PodFiles> files() const;

 private:
  struct Row;

  struct Sandbox {
    std::string id;
    std::string bundle;
    std::shared_ptr<const Runtime> runtime;
    PodFiles files;
    runtime::cgroup::Paths cgroup;
    bool is_created = false;
    bool is_started = false;
    pid_t pid = 0;  ///< of the process that holds the namespaces
    protocol::Timestamp created_at;
    std::uint32_t exit_status = 0;
    std::optional<protocol::Timestamp> exited_at;
    std::vector<Key> waiters;   ///< of WaitSandbox
    std::vector<Key> removers;  ///< not empty: it is being removed
    std::vector<Key> stoppers;  ///< of StopSandbox

    bool is_ready() const { return is_started && !exited_at; }
  };
  using Shared = std::shared_ptr<Sandbox>;

  template <typename Request, void (SandboxService::*Method)(Key, const Request&)>
  void decode_and_call(Key from, std::string_view payload);

  void create(Key from, const protocol::CreateSandboxRequest& request);
  base::Result<void> on_created(Sandbox& sandbox, base::Result<loop::Outcome> outcome);
  void start(Key from, const protocol::StartSandboxRequest& request);
  void platform(Key from, const protocol::PlatformRequest& request);
  void stop(Key from, const protocol::StopSandboxRequest& request);
  void wait(Key from, const protocol::WaitSandboxRequest& request);
  void status(Key from, const protocol::SandboxStatusRequest& request);
  void ping(Key from, const protocol::PingRequest& request);
  void update(Key from, const protocol::UpdateSandboxRequest& request);
  void shutdown(Key from, const protocol::ShutdownSandboxRequest& request);
  void metrics(Key from, const protocol::SandboxMetricsRequest& request);

  /// The sandbox of that name, or the answer NotFound has been given.
  Shared find(Key from, const std::string& id);

  loop::Operations& operations_;
  ChooseRuntime choose_runtime_;
  Shared sandbox_;
  bool is_finished_ = false;
};

}  // namespace shim::service
