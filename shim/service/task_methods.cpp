// The table of methods, and those that change nothing or only at once.
#include <signal.h>
#include <unistd.h>

#include "runtime/cgroup/cgroup.hpp"
#include "shim/events/metrics.hpp"
#include "shim/service/task_service.hpp"

namespace shim::service {
namespace {

using protocol::Code;
using protocol::TaskStatus;

}  // namespace

struct TaskService::Row {
  protocol::Method method;
  void (TaskService::*call)(Key, std::string_view payload);
};

template <typename Request, void (TaskService::*Method)(TaskService::Key, const Request&)>
void TaskService::decode_and_call(Key from, std::string_view payload) {
  const base::Result<Request> request = protocol::decode<Request>(payload);
  if (!request) return refuse(from, Code::InvalidArgument, request.error().message());
  (this->*Method)(from, *request);
}

void TaskService::serve(const ttrpc::Call& call, protocol::Service service) {
  using Self = TaskService;
  using protocol::Method;
  static constexpr Row kRows[] = {
      {Method::TaskState, &Self::decode_and_call<protocol::StateRequest, &Self::state>},
      {Method::TaskCreate, &Self::decode_and_call<protocol::CreateTaskRequest, &Self::create>},
      {Method::TaskStart, &Self::decode_and_call<protocol::StartRequest, &Self::start>},
      {Method::TaskDelete, &Self::decode_and_call<protocol::DeleteRequest, &Self::remove>},
      {Method::TaskPids, &Self::decode_and_call<protocol::PidsRequest, &Self::pids>},
      {Method::TaskPause, &Self::decode_and_call<protocol::PauseRequest, &Self::pause>},
      {Method::TaskResume, &Self::decode_and_call<protocol::ResumeRequest, &Self::resume>},
      {Method::TaskCheckpoint,
       &Self::decode_and_call<protocol::CheckpointTaskRequest, &Self::checkpoint>},
      {Method::TaskKill, &Self::decode_and_call<protocol::KillRequest, &Self::kill>},
      {Method::TaskExec, &Self::decode_and_call<protocol::ExecProcessRequest, &Self::exec>},
      {Method::TaskResizePty, &Self::decode_and_call<protocol::ResizePtyRequest, &Self::resize>},
      {Method::TaskCloseIO, &Self::decode_and_call<protocol::CloseIORequest, &Self::close_io>},
      {Method::TaskUpdate, &Self::decode_and_call<protocol::UpdateTaskRequest, &Self::update>},
      {Method::TaskWait, &Self::decode_and_call<protocol::WaitRequest, &Self::wait>},
      {Method::TaskStats, &Self::decode_and_call<protocol::StatsRequest, &Self::stats>},
      {Method::TaskConnect, &Self::decode_and_call<protocol::ConnectRequest, &Self::connect>},
      {Method::TaskShutdown, &Self::decode_and_call<protocol::ShutdownRequest, &Self::shutdown>},
  };
  const auto method = protocol::find_method(service, call.request.method);
  for (const Row& row : kRows) {
    if (method == row.method) return (this->*row.call)(call.from, call.request.payload);
  }
  server_.respond(call.from, ttrpc::unknown_method(call.request.method));
}

TaskService::Shared TaskService::find(Key from, const std::string& id) {
  const auto found = containers_.find(id);
  if (found != containers_.end() && found->second->is_created) return found->second;
  refuse(from, Code::NotFound, "container " + id + ": not found");
  return nullptr;
}

Process* TaskService::find(Key from, Container& container, const std::string& exec_id) {
  Process* const process = container.find(exec_id);
  if (process == nullptr) refuse(from, Code::NotFound, "process " + exec_id + ": not found");
  return process;
}

void TaskService::state(Key from, const protocol::StateRequest& request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  const Process* const process = find(from, *container, request.exec_id);
  if (process == nullptr) return;
  protocol::StateResponse out;
  out.id = process->exec_id.empty() ? container->id : process->exec_id;
  out.bundle = container->bundle;
  out.pid = static_cast<std::uint32_t>(process->pid);
  const bool is_paused = container->is_paused && process->status == TaskStatus::Running;
  out.status = is_paused ? TaskStatus::Paused : process->status;
  out.stdin_path = process->paths.in;
  out.stdout_path = process->paths.out;
  out.stderr_path = process->paths.err;
  out.terminal = process->paths.terminal;
  out.exit_status = process->exit_status;
  out.exited_at = process->exited_at;
  out.exec_id = process->exec_id;
  answer(from, out);
}

void TaskService::exec(Key from, const protocol::ExecProcessRequest& request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  if (container->init.status == TaskStatus::Stopped) {
    return refuse(from, Code::FailedPrecondition, "process exec not allowed after init exit");
  }
  if (request.exec_id.empty() || !request.spec || !request.spec->holds(protocol::kProcessType)) {
    return refuse(from, Code::InvalidArgument, "exec: needs an id and a process");
  }
  if (container->find(request.exec_id) != nullptr) {
    return refuse(from, Code::AlreadyExists, "id " + request.exec_id + ": already exists");
  }
  Process& process = container->execs[request.exec_id];
  process.exec_id = request.exec_id;
  process.paths = {request.stdin_path, request.stdout_path, request.stderr_path, request.terminal};
  process.spec = request.spec->value;
  publisher_.publish(protocol::TaskExecAdded{container->id, process.exec_id});
  answer(from, protocol::Empty{});
}

void TaskService::kill(Key from, const protocol::KillRequest& request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  const Process* const process = find(from, *container, request.exec_id);
  if (process == nullptr) return;
  if (process->status == TaskStatus::Stopped && !request.all) {
    return refuse(from, Code::NotFound, "process already finished");
  }
  const int signal = static_cast<int>(request.signal);
  if (request.signal > static_cast<std::uint32_t>(SIGRTMAX)) {
    return refuse(from, Code::InvalidArgument, "unknown signal " + std::to_string(request.signal));
  }
  if (!request.all && process->pid == 0) {
    return refuse(from, Code::FailedPrecondition, "process not started");
  }
  // What is reaped has given its number away, though its exit may not be told yet.
  const bool is_reaped = !processes_.contains(process->pid);
  if (!request.all && (is_reaped || ::kill(process->pid, signal) != 0)) {
    return refuse(from, Code::NotFound, "process already finished");
  }
  if (!request.all && (signal != SIGKILL || !container->is_paused)) {
    return answer(from, protocol::Empty{});
  }
  operations_.begin(
      [cgroup = runtime::cgroup::Cgroup(container->cgroup), signal,
       all = request.all]() -> base::Result<loop::Outcome> {
        if (all) {
          TRY(cgroup.kill_all(signal));
        } else {
          TRY(cgroup.thaw());
        }
        return loop::Outcome{};
      },
      [this, from](base::Result<loop::Outcome> outcome) {
        if (!outcome) return refuse(from, outcome.error());
        answer(from, protocol::Empty{});
      });
}

void TaskService::resize(Key from, const protocol::ResizePtyRequest& request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  const Process* const process = find(from, *container, request.exec_id);
  if (process == nullptr) return;
  if (process->terminal) {
    if (const auto done = process->terminal->resize(request.width, request.height); !done) {
      return refuse(from, done.error());
    }
  }
  answer(from, protocol::Empty{});
}

void TaskService::close_io(Key from, const protocol::CloseIORequest& request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  Process* const process = find(from, *container, request.exec_id);
  if (process == nullptr) return;
  if (request.close_stdin) process->streams.in_writer.reset();
  answer(from, protocol::Empty{});
}

void TaskService::wait(Key from, const protocol::WaitRequest& request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  Process* const process = find(from, *container, request.exec_id);
  if (process == nullptr) return;
  if (process->status != TaskStatus::Stopped) return process->waiters.push_back(from);
  answer(from, protocol::WaitResponse{process->exit_status, process->exited_at});
}

void TaskService::pids(Key from, const protocol::PidsRequest& request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  const auto pids = runtime::cgroup::Cgroup(container->cgroup).pids();
  if (!pids) return refuse(from, pids.error());
  protocol::PidsResponse out;
  for (const pid_t pid : *pids) {
    protocol::ProcessInfo info;
    info.pid = static_cast<std::uint32_t>(pid);
    for (const auto& [name, process] : container->execs) {
      if (process.pid == pid) info.info = protocol::pack(protocol::ProcessDetails{name});
    }
    out.processes.push_back(std::move(info));
  }
  if (out.processes.empty() && container->init.status == TaskStatus::Stopped) {
    // A restarted containerd (1.7 and later) takes a task without processes for a leak, and its
    // exit status would be lost: until Delete the dead init stands for itself.
    out.processes.push_back({static_cast<std::uint32_t>(container->init.pid), {}});
  }
  answer(from, out);
}

void TaskService::stats(Key from, const protocol::StatsRequest& request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  protocol::StatsResponse out;
  out.stats = events::read_metrics(container->cgroup);
  answer(from, out);
}

void TaskService::connect(Key from, const protocol::ConnectRequest& request) {
  // Also of a container that is not there: containerd connects before it knows.
  protocol::ConnectResponse out;
  out.shim_pid = static_cast<std::uint32_t>(::getpid());
  const auto found = containers_.find(request.id);
  if (found != containers_.end()) {
    out.task_pid = static_cast<std::uint32_t>(found->second->init.pid);
  }
  out.version = "v3";
  answer(from, out);
}

void TaskService::shutdown(Key from, const protocol::ShutdownRequest&) {
  answer(from, protocol::Empty{});
  if (containers_.empty()) is_finished_ = true;
}

}  // namespace shim::service
