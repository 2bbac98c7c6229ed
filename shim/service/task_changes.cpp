// The methods that take an operation: create, start, delete, pause, resume, update, checkpoint.
#include <signal.h>

#include "base/file.hpp"
#include "shim/bootstrap/options.hpp"
#include "shim/service/bundle_notes.hpp"
#include "shim/service/runtime_calls.hpp"
#include "shim/service/task_service.hpp"

namespace shim::service {
namespace {

using protocol::Code;
using protocol::TaskStatus;

constexpr std::uint32_t kKilled = 128 + SIGKILL;
constexpr std::size_t kMaxStatus = std::size_t{64} << 10;

/// Pure: of /proc/PID/status. Number 1 in the innermost of its namespaces (proc_pid_status(5)).
bool is_first_of_namespace(std::string_view status) {
  constexpr std::string_view kField = "\nNSpid:";
  const std::size_t begin = status.find(kField);
  if (begin == std::string_view::npos) return false;
  status.remove_prefix(begin + kField.size());
  return status.substr(0, status.find('\n')).ends_with("\t1");
}

bool has_private_pids(pid_t init) {
  const auto status = base::read_file("/proc/" + std::to_string(init) + "/status", kMaxStatus);
  return status && is_first_of_namespace(*status);
}

}  // namespace

void TaskService::change(const Shared& container, Step step,
                         std::function<void(base::Result<void>)> done) {
  container->changes.push_back({std::move(step), std::move(done)});
  if (container->changes.size() == 1) begin_change(container);
}

void TaskService::begin_change(const Shared& container) {
  operations_.begin(
      [container]() -> base::Result<loop::Outcome> {
        TRY(container->changes.front().step());
        return loop::Outcome{};
      },
      [this, container](base::Result<loop::Outcome> outcome) {
        base::Result<void> result;
        if (!outcome) result = std::unexpected(std::move(outcome).error());
        container->changes.front().done(std::move(result));
        container->changes.pop_front();
        if (!container->changes.empty()) begin_change(container);
      });
}

void TaskService::change(Key from, const Shared& container, Step step, std::function<void()> done) {
  change(container, std::move(step),
         [this, from, done = std::move(done)](base::Result<void> result) {
           if (!result) return refuse(from, result.error());
           done();
         });
}

void TaskService::create(Key from, const protocol::CreateTaskRequest& request) {
  if (containers_.contains(request.id)) {
    return refuse(from, Code::AlreadyExists, "container " + request.id + ": already exists");
  }
  const auto options = bootstrap::read_options(request.options);
  if (!options) return refuse(from, Code::InvalidArgument, options.error().message());
  auto runtime = choose_runtime_(options->runc);
  if (!runtime) return refuse(from, runtime.error());
  const Shared container = std::make_shared<Container>();
  container->id = request.id;
  container->bundle = request.bundle;
  container->checkpoint = request.checkpoint;
  container->runtime = std::move(*runtime);
  container->owner = {options->runc.io_uid, options->runc.io_gid};
  Process& init = container->init;
  init.paths = {request.stdin_path, request.stdout_path, request.stderr_path, request.terminal};
  containers_[request.id] = container;
  is_finished_ = false;
  open_streams(container, "", [this, from, container, request, runc = options->runc](Process&) {
    begin_create(from, container, request, runc);
  });
}

void TaskService::open_streams(const Shared& container, const std::string& exec_id,
                               std::function<void(Process&)> begin) {
  opener_.open(container->find(exec_id)->paths, container->owner,
               [container, exec_id, begin = std::move(begin)](base::Result<io::Streams> streams) {
                 // Still there: remove() leaves alone what is starting.
                 Process& process = *container->find(exec_id);
                 process.opened = {};
                 if (streams) {
                   process.streams = std::move(*streams);
                 } else {
                   process.opened = std::unexpected(std::move(streams).error());
                 }
                 begin(process);
               });
}

void TaskService::begin_create(Key from, const Shared& container,
                               const protocol::CreateTaskRequest& request,
                               const protocol::RuncOptions& options) {
  operations_.begin(
      [this, container, request, options,
       files = find_pod_files_()]() -> base::Result<loop::Outcome> {
        TRY(std::move(container->init.opened));
        TRY(remember_options(request.bundle, options));
        if (files) TRY(add_pod_mounts(request.bundle, *files));
        const CreateCall call{request.id, request.bundle, request.terminal};
        if (!request.checkpoint.empty()) return prepare_restore(call, request.rootfs);
        return service::create(*container->runtime, call, request.rootfs,
                               {container->init.streams, name_space_});
      },
      [this, from, container, request](base::Result<loop::Outcome> outcome) {
        const auto created = request.checkpoint.empty() || !outcome
                                 ? on_created(container, std::move(outcome))
                                 : base::Result<void>();
        container->is_created = created.has_value();
        if (!created) {
          abandon(container);
          return refuse(from, created.error());
        }
        protocol::TaskCreate event;
        event.container_id = request.id;
        event.bundle = request.bundle;
        event.rootfs = request.rootfs;
        event.io = {request.stdin_path, request.stdout_path, request.stderr_path, request.terminal};
        event.checkpoint = request.checkpoint;
        event.pid = static_cast<std::uint32_t>(container->init.pid);
        publisher_.publish(event);
        answer(from, protocol::CreateTaskResponse{event.pid});
        claim_exit(container->init.pid);
      });
}

base::Result<void> TaskService::on_created(const Shared& container,
                                           base::Result<loop::Outcome> outcome) {
  if (!outcome) return std::unexpected(std::move(outcome).error());
  TRY(adopt_started(container, container->init, std::move(*outcome)));
  container->cgroup = TRY(container->runtime->cgroup(container->id, container->init.pid));
  container->has_private_pids = has_private_pids(container->init.pid);
  auto watch = events::OutOfMemoryWatch::make(loop_, container->cgroup, [this, id = container->id] {
    publisher_.publish(protocol::TaskOOM{id});
  });
  // Without it only the reason of a kill is lost.
  if (watch) container->out_of_memory.emplace(std::move(*watch));
  return {};
}

void TaskService::abandon(const Shared& container) {
  containers_.erase(container->id);
  if (container->init.pid == 0) return;  // nothing was created
  processes_.erase(container->init.pid);
  operations_.begin(
      [container]() -> base::Result<loop::Outcome> {
        TRY(service::remove(*container->runtime, container->id, container->bundle));
        return loop::Outcome{};
      },
      [](const base::Result<loop::Outcome>&) {});
}

/// The process of a create or an exec is the shim's child from now on.
base::Result<void> TaskService::adopt_started(const Shared& container, Process& process,
                                              loop::Outcome outcome) {
  process.pid = TRY(parse_started(outcome));
  processes_[process.pid] = {container, process.exec_id};
  if (outcome.descriptor) {
    auto copy =
        io::TerminalCopy::make(loop_, std::move(outcome.descriptor), std::move(process.streams.in),
                               std::move(process.streams.out), {});
    if (copy) process.terminal = std::move(*copy);
  }
  process.streams.give_away();
  return {};
}

void TaskService::start(Key from, const protocol::StartRequest& request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  Process* const process = find(from, *container, request.exec_id);
  if (process == nullptr) return;
  if (process->status != TaskStatus::Created || process->is_starting) {
    return refuse(from, Code::FailedPrecondition, "cannot start a process that was started before");
  }
  if (!process->exec_id.empty()) return start_exec(from, container, *process);
  start_init(from, container);
}

void TaskService::start_init(Key from, const Shared& container) {
  container->init.is_starting = true;
  if (!container->checkpoint.empty()) return start_from_checkpoint(from, container);
  change(
      container, [container] { return container->runtime->start(container->id); },
      [this, from, container](const base::Result<void>& started) {
        on_init_started(from, container, started);
      });
}

void TaskService::start_from_checkpoint(Key from, const Shared& container) {
  operations_.begin(
      [this, container]() -> base::Result<loop::Outcome> {
        const CreateCall call{container->id, container->bundle, container->init.paths.terminal};
        return restore(*container->runtime, call, container->checkpoint,
                       {container->init.streams, name_space_});
      },
      [this, from, container](base::Result<loop::Outcome> outcome) {
        on_init_started(from, container, on_created(container, std::move(outcome)));
        claim_exit(container->init.pid);
      });
}

void TaskService::on_init_started(Key from, const Shared& container,
                                  const base::Result<void>& started) {
  Process& init = container->init;
  init.is_starting = false;
  if (started) {
    init.status = TaskStatus::Running;
    init.streams.in_writer.reset();
    const auto pid = static_cast<std::uint32_t>(init.pid);
    publisher_.publish(protocol::TaskStart{container->id, pid});
    answer(from, protocol::StartResponse{pid});
  } else {
    refuse(from, started.error());
  }
  if (init.early_exit) init_ended(container, *init.early_exit);
}

void TaskService::start_exec(Key from, const Shared& container, Process& process) {
  if (container->init.status == TaskStatus::Stopped) {
    return refuse(from, Code::FailedPrecondition, "process exec not allowed after init exit");
  }
  process.is_starting = true;
  open_streams(container, process.exec_id,
               [this, from, container](Process& opened) { begin_exec(from, container, opened); });
}

void TaskService::begin_exec(Key from, const Shared& container, Process& process) {
  const ExecCall call{container->id, container->bundle, process.exec_id, process.spec,
                      process.paths.terminal};
  operations_.begin(
      [this, call, container, &process]() -> base::Result<loop::Outcome> {
        TRY(std::move(process.opened));
        return service::exec(*container->runtime, call, {process.streams, name_space_});
      },
      [this, from, container, exec_id = call.exec_id](base::Result<loop::Outcome> outcome) {
        on_exec_started(from, container, exec_id, std::move(outcome));
      });
}

void TaskService::on_exec_started(Key from, const Shared& container, const std::string& exec_id,
                                  base::Result<loop::Outcome> outcome) {
  // Still there: remove() leaves alone what is starting.
  Process& process = *container->find(exec_id);
  process.is_starting = false;
  process.spec.clear();
  base::Result<void> started;
  if (outcome) {
    started = adopt_started(container, process, std::move(*outcome));
  } else {
    started = std::unexpected(std::move(outcome).error());
  }
  if (started) {
    process.status = TaskStatus::Running;
    process.streams.in_writer.reset();
    const auto pid = static_cast<std::uint32_t>(process.pid);
    publisher_.publish(protocol::TaskExecStarted{container->id, exec_id, pid});
    answer(from, protocol::StartResponse{pid});
    claim_exit(process.pid);
  } else {
    process.streams = {};
    refuse(from, started.error());
  }
  tell_held_exit(*container);
}

void TaskService::remove(Key from, const protocol::DeleteRequest& request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  Process* const process = find(from, *container, request.exec_id);
  if (process == nullptr) return;
  if (process->is_live() || (process->exec_id.empty() && container->held_exit)) {
    return refuse(from, Code::FailedPrecondition, "cannot delete a running process");
  }
  if (!process->exec_id.empty()) return remove_exec(from, *container, *process);
  change(
      from, container,
      [container] {
        return service::remove(*container->runtime, container->id, container->bundle);
      },
      [this, from, container] {
        Process& init = container->init;
        processes_.erase(init.pid);
        // One that was only created has been killed just now.
        if (init.status != TaskStatus::Stopped) tell_exit(*container, init, kKilled);
        containers_.erase(container->id);
        const auto pid = static_cast<std::uint32_t>(init.pid);
        publisher_.publish(
            protocol::TaskDelete{container->id, pid, init.exit_status, init.exited_at, ""});
        answer(from, protocol::DeleteResponse{pid, init.exit_status, init.exited_at});
      });
}

void TaskService::remove_exec(Key from, Container& container, Process& process) {
  const protocol::DeleteResponse out{static_cast<std::uint32_t>(process.pid), process.exit_status,
                                     process.exited_at};
  container.execs.erase(std::string(process.exec_id));
  answer(from, out);
}

void TaskService::pause(Key from, const protocol::PauseRequest& request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  change(
      from, container, [container] { return container->runtime->pause(container->id); },
      [this, from, container] {
        container->is_paused = true;
        publisher_.publish(protocol::TaskPaused{container->id});
        answer(from, protocol::Empty{});
      });
}

void TaskService::resume(Key from, const protocol::ResumeRequest& request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  change(
      from, container, [container] { return container->runtime->resume(container->id); },
      [this, from, container] {
        container->is_paused = false;
        publisher_.publish(protocol::TaskResumed{container->id});
        answer(from, protocol::Empty{});
      });
}

void TaskService::update(Key from, const protocol::UpdateTaskRequest& request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  if (!request.resources || !request.resources->holds(protocol::kResourcesType)) {
    return refuse(from, Code::InvalidArgument, "update: needs resources");
  }
  change(
      from, container,
      [container, text = request.resources->value] {
        return container->runtime->update(container->id, text);
      },
      [this, from] { answer(from, protocol::Empty{}); });
}

void TaskService::checkpoint(Key from, const protocol::CheckpointTaskRequest& request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  CheckpointCall call{request.id, request.path, {}};
  if (request.options) {
    auto options = protocol::unpack<protocol::CheckpointOptions>(*request.options);
    if (!options) return refuse(from, options.error());
    call.options = *std::move(options);
  }
  if (!call.path.starts_with('/')) {
    return refuse(from, Code::InvalidArgument, "checkpoint: the path is not absolute");
  }
  change(
      from, container, [container, call] { return container->runtime->checkpoint(call); },
      [this, from, call] {
        publisher_.publish(protocol::TaskCheckpointed{call.id, call.path});
        answer(from, protocol::Empty{});
      });
}

}  // namespace shim::service
