// Field numbers of containerd.task.v2 and .v3.
#include "shim/protocol/task.hpp"
#include "shim/protocol/shared_fields.hpp"

namespace shim::protocol {

void fields(auto& visit, Is<CreateTaskRequest> auto& m) {
  visit(1, m.id);
  visit(2, m.bundle);
  visit(3, m.rootfs);
  visit(4, m.terminal);
  visit(5, m.stdin_path);
  visit(6, m.stdout_path);
  visit(7, m.stderr_path);
  visit(8, m.checkpoint);
  visit(9, m.parent_checkpoint);
  visit(10, m.options);
}

void fields(auto& visit, Is<CreateTaskResponse> auto& m) { visit(1, m.pid); }

void fields(auto& visit, Is<StartRequest> auto& m) {
  visit(1, m.id);
  visit(2, m.exec_id);
}

void fields(auto& visit, Is<StartResponse> auto& m) { visit(1, m.pid); }

void fields(auto& visit, Is<StateRequest> auto& m) {
  visit(1, m.id);
  visit(2, m.exec_id);
}

void fields(auto& visit, Is<StateResponse> auto& m) {
  visit(1, m.id);
  visit(2, m.bundle);
  visit(3, m.pid);
  visit(4, m.status);
  visit(5, m.stdin_path);
  visit(6, m.stdout_path);
  visit(7, m.stderr_path);
  visit(8, m.terminal);
  visit(9, m.exit_status);
  visit(10, m.exited_at);
  visit(11, m.exec_id);
}

void fields(auto& visit, Is<DeleteRequest> auto& m) {
  visit(1, m.id);
  visit(2, m.exec_id);
}

void fields(auto& visit, Is<DeleteResponse> auto& m) {
  visit(1, m.pid);
  visit(2, m.exit_status);
  visit(3, m.exited_at);
}

void fields(auto& visit, Is<ExecProcessRequest> auto& m) {
  visit(1, m.id);
  visit(2, m.exec_id);
  visit(3, m.terminal);
  visit(4, m.stdin_path);
  visit(5, m.stdout_path);
  visit(6, m.stderr_path);
  visit(7, m.spec);
}

void fields(auto& visit, Is<ResizePtyRequest> auto& m) {
  visit(1, m.id);
  visit(2, m.exec_id);
  visit(3, m.width);
  visit(4, m.height);
}

void fields(auto& visit, Is<KillRequest> auto& m) {
  visit(1, m.id);
  visit(2, m.exec_id);
  visit(3, m.signal);
  visit(4, m.all);
}

void fields(auto& visit, Is<CloseIORequest> auto& m) {
  visit(1, m.id);
  visit(2, m.exec_id);
  visit(3, m.close_stdin);
}

void fields(auto& visit, Is<PidsRequest> auto& m) { visit(1, m.id); }

void fields(auto& visit, Is<PidsResponse> auto& m) { visit(1, m.processes); }

void fields(auto& visit, Is<CheckpointTaskRequest> auto& m) {
  visit(1, m.id);
  visit(2, m.path);
  visit(3, m.options);
}

void fields(auto& visit, Is<UpdateTaskRequest> auto& m) {
  visit(1, m.id);
  visit(2, m.resources);
  visit(3, m.annotations);
}

void fields(auto& visit, Is<WaitRequest> auto& m) {
  visit(1, m.id);
  visit(2, m.exec_id);
}

void fields(auto& visit, Is<WaitResponse> auto& m) {
  visit(1, m.exit_status);
  visit(2, m.exited_at);
}

void fields(auto& visit, Is<StatsRequest> auto& m) { visit(1, m.id); }

void fields(auto& visit, Is<StatsResponse> auto& m) { visit(1, m.stats); }

void fields(auto& visit, Is<ConnectRequest> auto& m) { visit(1, m.id); }

void fields(auto& visit, Is<ConnectResponse> auto& m) {
  visit(1, m.shim_pid);
  visit(2, m.task_pid);
  visit(3, m.version);
}

void fields(auto& visit, Is<ShutdownRequest> auto& m) {
  visit(1, m.id);
  visit(2, m.now);
}

void fields(auto& visit, Is<PauseRequest> auto& m) { visit(1, m.id); }

void fields(auto& visit, Is<ResumeRequest> auto& m) { visit(1, m.id); }

MESSAGE(CreateTaskRequest);
MESSAGE(CreateTaskResponse);
MESSAGE(StartRequest);
MESSAGE(StartResponse);
MESSAGE(StateRequest);
MESSAGE(StateResponse);
MESSAGE(DeleteRequest);
MESSAGE(DeleteResponse);
MESSAGE(ExecProcessRequest);
MESSAGE(ResizePtyRequest);
MESSAGE(KillRequest);
MESSAGE(CloseIORequest);
MESSAGE(PidsRequest);
MESSAGE(PidsResponse);
MESSAGE(CheckpointTaskRequest);
MESSAGE(UpdateTaskRequest);
MESSAGE(WaitRequest);
MESSAGE(WaitResponse);
MESSAGE(StatsRequest);
MESSAGE(StatsResponse);
MESSAGE(ConnectRequest);
MESSAGE(ConnectResponse);
MESSAGE(ShutdownRequest);
MESSAGE(PauseRequest);
MESSAGE(ResumeRequest);

}  // namespace shim::protocol
