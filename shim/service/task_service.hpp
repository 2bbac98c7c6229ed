// containerd.task.v2.Task and .v3.Task: the methods, the exits of processes, and the order of
// events between them.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "shim/events/publisher.hpp"
#include "shim/io/stream_opener.hpp"
#include "shim/loop/children.hpp"
#include "shim/loop/operation.hpp"
#include "shim/protocol/codec.hpp"
#include "shim/protocol/methods.hpp"
#include "shim/protocol/task.hpp"
#include "shim/service/container.hpp"
#include "shim/service/pod_files.hpp"
#include "shim/service/replies.hpp"
#include "shim/ttrpc/server.hpp"

namespace shim::service {

class TaskService : private Replies {
 public:
  /// What the services of one shim work with.
  struct Tools {
    loop::Loop& loop;
    loop::Operations& operations;
    ttrpc::Server& server;
    events::Publisher& publisher;
  };
  /// Of the pod, when it has no pause container.
  using FindPodFiles = std::function<std::optional<PodFiles>()>;

  TaskService(const Tools& tools, std::string name_space, ChooseRuntime choose_runtime,
              FindPodFiles find_pod_files)
      : Replies(tools.server),
        loop_(tools.loop),
        operations_(tools.operations),
        opener_(tools.loop),
        publisher_(tools.publisher),
        name_space_(std::move(name_space)),
        choose_runtime_(std::move(choose_runtime)),
        find_pod_files_(std::move(find_pod_files)) {}

  /// `service` is one of Task's.
  void serve(const ttrpc::Call& call, protocol::Service service);
  /// A child of the shim's has ended; it may be none of a container's.
  void on_exit(const loop::Exit& exit);
  /// Shutdown was asked for when nothing was left.
  bool is_finished() const { return is_finished_; }
  /// It looks after no container.
  bool is_empty() const { return containers_.empty(); }
  /// All that it has are ended containers whose bundles are gone: a daemon that lost the connection
  /// has had them deleted by another process (the action `delete`), and will not ask for them.
  bool is_forgotten() const;
  bool has_live() const;

 private:
  using Shared = std::shared_ptr<Container>;
  struct Row;

  template <typename Request, void (TaskService::*Method)(Key, const Request&)>
  void decode_and_call(Key from, std::string_view payload);

  // task_methods.cpp: what changes nothing, or at once
  void state(Key from, const protocol::StateRequest& request);
  void exec(Key from, const protocol::ExecProcessRequest& request);
  void kill(Key from, const protocol::KillRequest& request);
  void resize(Key from, const protocol::ResizePtyRequest& request);
  void close_io(Key from, const protocol::CloseIORequest& request);
  void wait(Key from, const protocol::WaitRequest& request);
  void pids(Key from, const protocol::PidsRequest& request);
  void stats(Key from, const protocol::StatsRequest& request);
  void connect(Key from, const protocol::ConnectRequest& request);
  void shutdown(Key from, const protocol::ShutdownRequest& request);
  // task_changes.cpp: what an operation does
  void create(Key from, const protocol::CreateTaskRequest& request);
  void start(Key from, const protocol::StartRequest& request);
  void remove(Key from, const protocol::DeleteRequest& request);
  void pause(Key from, const protocol::PauseRequest& request);
  void resume(Key from, const protocol::ResumeRequest& request);
  void update(Key from, const protocol::UpdateTaskRequest& request);
  void checkpoint(Key from, const protocol::CheckpointTaskRequest& request);
  /// An error is kept for what begins then.
  void open_streams(const Shared& container, const std::string& exec_id,
                    std::function<void(Process&)> begin);
  void begin_create(Key from, const Shared& container, const protocol::CreateTaskRequest& request,
                    const protocol::RuncOptions& options);
  base::Result<void> on_created(const Shared& container, base::Result<loop::Outcome> outcome);
  void abandon(const Shared& container);
  void start_init(Key from, const Shared& container);
  void start_from_checkpoint(Key from, const Shared& container);
  void on_init_started(Key from, const Shared& container, const base::Result<void>& started);
  void start_exec(Key from, const Shared& container, Process& process);
  void begin_exec(Key from, const Shared& container, Process& process);
  void on_exec_started(Key from, const Shared& container, const std::string& exec_id,
                       base::Result<loop::Outcome> outcome);
  base::Result<void> adopt_started(const Shared& container, Process& process,
                                   loop::Outcome outcome);
  void remove_exec(Key from, Container& container, Process& process);
  /// An operation that changes the container, when no other is on the way.
  using Step = std::function<base::Result<void>()>;
  void change(const Shared& container, Step step, std::function<void(base::Result<void>)> done);
  /// Refuses when the step fails.
  void change(Key from, const Shared& container, Step step, std::function<void()> done);
  void begin_change(const Shared& container);
  // task_exits.cpp
  /// After the start of a process has been told: its exit, if that came first.
  void claim_exit(pid_t pid);
  void process_ended(const Shared& container, Process& process, std::uint32_t status);
  void init_ended(const Shared& container, std::uint32_t status);
  void tell_exit(Container& container, Process& process, std::uint32_t status);
  /// Init's, when the last of its execs is gone.
  void tell_held_exit(Container& container);

  /// The container and process, or the answer NotFound has been given.
  Shared find(Key from, const std::string& id);
  Process* find(Key from, Container& container, const std::string& exec_id);

  loop::Loop& loop_;
  loop::Operations& operations_;
  io::StreamOpener opener_;
  events::Publisher& publisher_;
  std::string name_space_;
  ChooseRuntime choose_runtime_;
  FindPodFiles find_pod_files_;
  std::map<std::string, Shared> containers_;
  /// Processes that are not reaped yet, so that their numbers are theirs.
  std::map<pid_t, std::pair<Shared, std::string>> processes_;
  /// Exits of others while operations are on the way. Another runtime's program leaves a process to
  /// the shim as soon as it ends itself, which can be before the operation has told of the process.
  std::map<pid_t, std::uint32_t> unclaimed_;
  bool is_finished_ = false;
};

}  // namespace shim::service
