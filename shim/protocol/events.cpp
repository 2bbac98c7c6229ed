// Field numbers of containerd.events and of the service that takes them.
#include "shim/protocol/events.hpp"
#include "shim/protocol/shared_fields.hpp"

namespace shim::protocol {

void fields(auto& visit, Is<TaskIO> auto& m) {
  visit(1, m.stdin_path);
  visit(2, m.stdout_path);
  visit(3, m.stderr_path);
  visit(4, m.terminal);
}

void fields(auto& visit, Is<TaskCreate> auto& m) {
  visit(1, m.container_id);
  visit(2, m.bundle);
  visit(3, m.rootfs);
  visit(4, m.io);
  visit(5, m.checkpoint);
  visit(6, m.pid);
}

void fields(auto& visit, Is<TaskStart> auto& m) {
  visit(1, m.container_id);
  visit(2, m.pid);
}

void fields(auto& visit, Is<TaskDelete> auto& m) {
  visit(1, m.container_id);
  visit(2, m.pid);
  visit(3, m.exit_status);
  visit(4, m.exited_at);
  visit(5, m.id);
}

void fields(auto& visit, Is<TaskExit> auto& m) {
  visit(1, m.container_id);
  visit(2, m.id);
  visit(3, m.pid);
  visit(4, m.exit_status);
  visit(5, m.exited_at);
}

void fields(auto& visit, Is<TaskOOM> auto& m) { visit(1, m.container_id); }

void fields(auto& visit, Is<TaskExecAdded> auto& m) {
  visit(1, m.container_id);
  visit(2, m.exec_id);
}

void fields(auto& visit, Is<TaskExecStarted> auto& m) {
  visit(1, m.container_id);
  visit(2, m.exec_id);
  visit(3, m.pid);
}

void fields(auto& visit, Is<TaskPaused> auto& m) { visit(1, m.container_id); }

void fields(auto& visit, Is<TaskResumed> auto& m) { visit(1, m.container_id); }

void fields(auto& visit, Is<TaskCheckpointed> auto& m) {
  visit(1, m.container_id);
  visit(2, m.checkpoint);
}

void fields(auto& visit, Is<Envelope> auto& m) {
  visit(1, m.timestamp);
  visit(2, m.name_space);
  visit(3, m.topic);
  visit(4, m.event);
}

void fields(auto& visit, Is<ForwardRequest> auto& m) { visit(1, m.envelope); }

MESSAGE(TaskIO);
MESSAGE(TaskCreate);
MESSAGE(TaskStart);
MESSAGE(TaskDelete);
MESSAGE(TaskExit);
MESSAGE(TaskOOM);
MESSAGE(TaskExecAdded);
MESSAGE(TaskExecStarted);
MESSAGE(TaskPaused);
MESSAGE(TaskResumed);
MESSAGE(TaskCheckpointed);
MESSAGE(Envelope);
MESSAGE(ForwardRequest);

}  // namespace shim::protocol
