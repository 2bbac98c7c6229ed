// The methods that take an operation: create, start, delete, pause, resume, update.
#include <signal.h>

#include <charconv>

#include "oci/parse.hpp"
#include "shim/bootstrap/options.hpp"
#include "shim/service/runtime_calls.hpp"
#include "shim/service/task_service.hpp"

namespace shim::service {
namespace {

using protocol::Code;
using protocol::TaskStatus;

constexpr std::uint32_t kKilled = 128 + SIGKILL;

}  // namespace

void TaskService::change(const Shared& container, std::function<void()> begin) {
  if (container->is_changing) {
    container->changes.push_back(std::move(begin));
    return;
  }
  container->is_changing = true;
  begin();
}

void TaskService::changed(const Shared& container) {
  container->is_changing = false;
  if (container->changes.empty()) return;
  const std::function<void()> next = std::move(container->changes.front());
  container->changes.pop_front();
  container->is_changing = true;
  next();
}

void TaskService::create(Key from, protocol::CreateTaskRequest request) {
  if (containers_.contains(request.id)) {
    return refuse(from, Code::AlreadyExists, "container " + request.id + ": already exists");
  }
  if (!request.checkpoint.empty()) {
    return refuse(from, Code::Unimplemented, "restore from a checkpoint is not supported");
  }
  const auto options = bootstrap::read_options(request.options);
  if (!options) return refuse(from, Code::InvalidArgument, options.error().message());
  const Shared container = std::make_shared<Container>();
  container->id = request.id;
  container->bundle = request.bundle;
  container->name_space = name_space_;
  container->state_root = state_root(options->runc, name_space_);
  container->owner = {options->runc.io_uid, options->runc.io_gid};
  Process& init = container->init;
  init.paths = {request.stdin_path, request.stdout_path, request.stderr_path, request.terminal};
  auto streams = io::open_streams(init.paths, container->owner);
  if (!streams) return refuse(from, streams.error());
  init.streams = std::move(*streams);
  const CreateCall call{container->state_root, name_space_,      request.id,   request.bundle,
                        request.rootfs,        request.terminal, options->runc};
  containers_[request.id] = container;
  operations_.begin([call, container] { return service::create(call, container->init.streams); },
                    [this, from, container, request](base::Result<loop::Outcome> outcome) {
                      on_created(from, container, request, std::move(outcome));
                    });
}

void TaskService::on_created(Key from, const Shared& container,
                             const protocol::CreateTaskRequest& request,
                             base::Result<loop::Outcome> outcome) {
  base::Result<Created> created =
      outcome ? parse_created(outcome->text) : std::unexpected(std::move(outcome).error());
  base::Result<runtime::state::Record> record =
      created ? runtime::state::Store(container->state_root).load(container->id)
              : std::unexpected(std::move(created).error());
  if (!record) {
    containers_.erase(container->id);
    return refuse(from, record.error());
  }
  container->is_created = true;
  container->cgroup = record->cgroup;
  container->has_private_pids = created->has_private_pids;
  Process& init = container->init;
  init.pid = created->pid;
  processes_[init.pid] = {container, ""};
  if (outcome->descriptor) adopt_terminal(container, init, std::move(outcome->descriptor));
  init.streams.give_away();
  auto watch = events::OutOfMemoryWatch::make(loop_, container->cgroup, [this, id = request.id] {
    publisher_.publish(protocol::TaskOOM{id});
  });
  // Without it only the reason of a kill is lost.
  if (watch) container->out_of_memory.emplace(std::move(*watch));
  protocol::TaskCreate event;
  event.container_id = request.id;
  event.bundle = request.bundle;
  event.rootfs = request.rootfs;
  event.io = {request.stdin_path, request.stdout_path, request.stderr_path, request.terminal};
  event.pid = static_cast<std::uint32_t>(init.pid);
  publisher_.publish(event);
  answer(from, protocol::CreateTaskResponse{event.pid});
}

void TaskService::adopt_terminal(const Shared& container, Process& process, base::UniqueFd master) {
  static_cast<void>(container);
  auto copy = io::TerminalCopy::make(loop_, std::move(master), std::move(process.streams.in),
                                     std::move(process.streams.out), {});
  if (copy) process.terminal = std::move(*copy);
}

void TaskService::start(Key from, protocol::StartRequest request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  Process* const process = find(from, *container, request.exec_id);
  if (process == nullptr) return;
  if (process->status != TaskStatus::Created || process->is_starting) {
    return refuse(from, Code::FailedPrecondition, "cannot start a process that was started before");
  }
  if (!process->exec_id.empty()) return start_exec(from, container, *process);
  process->is_starting = true;
  change(container, [this, from, container] { start_init(from, container); });
}

void TaskService::start_init(Key from, const Shared& container) {
  operations_.begin(
      [container]() -> base::Result<loop::Outcome> {
        TRY(runtime::container::start(make_host(container->state_root), container->id));
        return loop::Outcome{};
      },
      [this, from, container](base::Result<loop::Outcome> outcome) {
        Process& init = container->init;
        init.is_starting = false;
        if (outcome) {
          init.status = TaskStatus::Running;
          init.streams.in_writer.reset();
          const auto pid = static_cast<std::uint32_t>(init.pid);
          publisher_.publish(protocol::TaskStart{container->id, pid});
          answer(from, protocol::StartResponse{pid});
        } else {
          refuse(from, outcome.error());
        }
        if (init.early_exit) init_ended(container, *init.early_exit);
        changed(container);
      });
}

void TaskService::start_exec(Key from, const Shared& container, Process& process) {
  if (container->init.status == TaskStatus::Stopped) {
    return refuse(from, Code::FailedPrecondition, "process exec not allowed after init exit");
  }
  auto streams = io::open_streams(process.paths, container->owner);
  if (!streams) return refuse(from, streams.error());
  process.streams = std::move(*streams);
  process.is_starting = true;
  const ExecCall call{container->state_root, name_space_, container->id, process.spec,
                      process.paths.terminal};
  const std::string exec_id = process.exec_id;
  operations_.begin([call, &process] { return service::exec(call, process.streams); },
                    [this, from, container, exec_id](base::Result<loop::Outcome> outcome) {
                      on_exec_started(from, container, exec_id, std::move(outcome));
                    });
}

void TaskService::on_exec_started(Key from, const Shared& container, const std::string& exec_id,
                                  base::Result<loop::Outcome> outcome) {
  // Still there: remove() leaves alone what is starting.
  Process& process = *container->find(exec_id);
  process.is_starting = false;
  process.spec.clear();
  if (outcome) {
    const std::string& text = outcome->text;
    std::from_chars(text.data(), text.data() + text.size(), process.pid);
    process.status = TaskStatus::Running;
    processes_[process.pid] = {container, exec_id};
    if (outcome->descriptor) adopt_terminal(container, process, std::move(outcome->descriptor));
    process.streams.give_away();
    process.streams.in_writer.reset();
    const auto pid = static_cast<std::uint32_t>(process.pid);
    publisher_.publish(protocol::TaskExecStarted{container->id, exec_id, pid});
    answer(from, protocol::StartResponse{pid});
  } else {
    process.streams = {};
    refuse(from, outcome.error());
  }
  if (container->held_exit && !container->has_live_execs()) {
    tell_exit(*container, container->init, *std::exchange(container->held_exit, std::nullopt));
  }
}

void TaskService::remove(Key from, protocol::DeleteRequest request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  Process* const process = find(from, *container, request.exec_id);
  if (process == nullptr) return;
  if (process->is_live() || (process->exec_id.empty() && container->held_exit)) {
    return refuse(from, Code::FailedPrecondition, "cannot delete a running process");
  }
  if (!process->exec_id.empty()) return remove_exec(from, *container, *process);
  change(container, [this, from, container] { remove_container(from, container); });
}

void TaskService::remove_exec(Key from, Container& container, Process& process) {
  const protocol::DeleteResponse out{static_cast<std::uint32_t>(process.pid), process.exit_status,
                                     process.exited_at};
  container.execs.erase(std::string(process.exec_id));
  answer(from, out);
}

void TaskService::remove_container(Key from, const Shared& container) {
  operations_.begin(
      [container]() -> base::Result<loop::Outcome> {
        TRY(service::remove(container->state_root, container->id, container->bundle));
        return loop::Outcome{};
      },
      [this, from, container](base::Result<loop::Outcome> outcome) {
        if (!outcome) {
          refuse(from, outcome.error());
          return changed(container);
        }
        Process& init = container->init;
        processes_.erase(init.pid);
        // One that was only created has been killed just now.
        if (init.status != TaskStatus::Stopped) tell_exit(*container, init, kKilled);
        containers_.erase(container->id);
        const auto pid = static_cast<std::uint32_t>(init.pid);
        publisher_.publish(
            protocol::TaskDelete{container->id, pid, init.exit_status, init.exited_at, ""});
        answer(from, protocol::DeleteResponse{pid, init.exit_status, init.exited_at});
        changed(container);
      });
}

void TaskService::pause(Key from, protocol::PauseRequest request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  change(container, [this, from, container] {
    operations_.begin(
        [container]() -> base::Result<loop::Outcome> {
          TRY(runtime::container::pause(make_host(container->state_root), container->id));
          return loop::Outcome{};
        },
        [this, from, container](base::Result<loop::Outcome> outcome) {
          if (outcome) {
            container->is_paused = true;
            publisher_.publish(protocol::TaskPaused{container->id});
            answer(from, protocol::Empty{});
          } else {
            refuse(from, outcome.error());
          }
          changed(container);
        });
  });
}

void TaskService::resume(Key from, protocol::ResumeRequest request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  change(container, [this, from, container] {
    operations_.begin(
        [container]() -> base::Result<loop::Outcome> {
          TRY(runtime::container::resume(make_host(container->state_root), container->id));
          return loop::Outcome{};
        },
        [this, from, container](base::Result<loop::Outcome> outcome) {
          if (outcome) {
            container->is_paused = false;
            publisher_.publish(protocol::TaskResumed{container->id});
            answer(from, protocol::Empty{});
          } else {
            refuse(from, outcome.error());
          }
          changed(container);
        });
  });
}

void TaskService::update(Key from, protocol::UpdateTaskRequest request) {
  const Shared container = find(from, request.id);
  if (!container) return;
  if (!request.resources || !request.resources->holds(protocol::kResourcesType)) {
    return refuse(from, Code::InvalidArgument, "update: needs resources");
  }
  change(container, [this, from, container, text = std::move(request.resources->value)] {
    operations_.begin(
        [container, text]() -> base::Result<loop::Outcome> {
          const oci::Resources resources = TRY(oci::parse_resources(text));
          TRY(runtime::container::update(make_host(container->state_root), container->id,
                                         resources));
          return loop::Outcome{};
        },
        [this, from, container](base::Result<loop::Outcome> outcome) {
          if (outcome) {
            answer(from, protocol::Empty{});
          } else {
            refuse(from, outcome.error());
          }
          changed(container);
        });
  });
}

}  // namespace shim::service
