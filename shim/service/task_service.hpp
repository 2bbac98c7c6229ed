// containerd.task.v2.Task and .v3.Task: the methods, the exits of processes, and the order of
// events between them.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "shim/events/publisher.hpp"
#include "shim/loop/children.hpp"
#include "shim/loop/operation.hpp"
#include "shim/protocol/codec.hpp"
#include "shim/protocol/methods.hpp"
#include "shim/protocol/task.hpp"
#include "shim/service/container.hpp"
#include "shim/ttrpc/server.hpp"

namespace shim::service {

class TaskService {
 public:
  TaskService(loop::Loop& loop, loop::Operations& operations, ttrpc::Server& server,
              events::Publisher& publisher, std::string name_space)
      : loop_(loop),
        operations_(operations),
        server_(server),
        publisher_(publisher),
        name_space_(std::move(name_space)) {}

  void serve(const ttrpc::Call& call);
  /// A child of the shim's has ended; it may be none of a container's.
  void on_exit(const loop::Exit& exit);
  /// Shutdown was asked for and nothing is left.
  bool is_finished() const { return is_finished_; }

 private:
  using Shared = std::shared_ptr<Container>;
  using Key = ttrpc::StreamKey;
  struct Row;

  template <typename Request, void (TaskService::*Method)(Key, Request)>
  void decode_and_call(Key from, std::string_view payload);

  // task_methods.cpp: what changes nothing, or at once
  void state(Key from, protocol::StateRequest request);
  void exec(Key from, protocol::ExecProcessRequest request);
  void kill(Key from, protocol::KillRequest request);
  void resize(Key from, protocol::ResizePtyRequest request);
  void close_io(Key from, protocol::CloseIORequest request);
  void wait(Key from, protocol::WaitRequest request);
  void pids(Key from, protocol::PidsRequest request);
  void stats(Key from, protocol::StatsRequest request);
  void connect(Key from, protocol::ConnectRequest request);
  void shutdown(Key from, protocol::ShutdownRequest request);
  void checkpoint(Key from, protocol::CheckpointTaskRequest request);
  // task_changes.cpp: what an operation does
  void create(Key from, protocol::CreateTaskRequest request);
  void start(Key from, protocol::StartRequest request);
  void remove(Key from, protocol::DeleteRequest request);
  void pause(Key from, protocol::PauseRequest request);
  void resume(Key from, protocol::ResumeRequest request);
  void update(Key from, protocol::UpdateTaskRequest request);
  void on_created(Key from, const Shared& container, const protocol::CreateTaskRequest& request,
                  base::Result<loop::Outcome> outcome);
  void start_init(Key from, const Shared& container);
  void start_exec(Key from, const Shared& container, Process& process);
  void on_exec_started(Key from, const Shared& container, const std::string& exec_id,
                       base::Result<loop::Outcome> outcome);
  void remove_exec(Key from, Container& container, Process& process);
  void remove_container(Key from, const Shared& container);
  /// Runs `begin` when no other change of the container is on the way; it calls changed() once.
  void change(const Shared& container, std::function<void()> begin);
  void changed(const Shared& container);
  void adopt_terminal(const Shared& container, Process& process, base::UniqueFd master);
  // task_exits.cpp
  void process_ended(const Shared& container, Process& process, std::uint32_t status);
  void init_ended(const Shared& container, std::uint32_t status);
  void tell_exit(Container& container, Process& process, std::uint32_t status);

  /// The container and process, or the answer NotFound has been given.
  Shared find(Key from, const std::string& id);
  Process* find(Key from, Container& container, const std::string& exec_id);

  template <typename Message>
  void answer(Key to, const Message& message) {
    server_.respond(to, protocol::encode(message));
  }
  void refuse(Key to, protocol::Code code, std::string text) {
    server_.respond(to, ttrpc::Status{code, std::move(text)});
  }
  void refuse(Key to, const base::Error& error) { server_.respond(to, protocol::status_of(error)); }

  loop::Loop& loop_;
  loop::Operations& operations_;
  ttrpc::Server& server_;
  events::Publisher& publisher_;
  std::string name_space_;
  std::map<std::string, Shared> containers_;
  /// Processes that are not reaped yet, so that their numbers are theirs.
  std::map<pid_t, std::pair<Shared, std::string>> processes_;
  bool is_finished_ = false;
};

}  // namespace shim::service
