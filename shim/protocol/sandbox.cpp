// Field numbers of containerd.runtime.sandbox.v1.
#include "shim/protocol/sandbox.hpp"
#include "shim/protocol/shared_fields.hpp"

namespace shim::protocol {

void fields(auto& visit, Is<CreateSandboxRequest> auto& m) {
  visit(1, m.sandbox_id);
  visit(2, m.bundle_path);
  visit(3, m.rootfs);
  visit(4, m.options);
  visit(5, m.netns_path);
  visit(6, m.annotations);
}

void fields(auto&, Is<CreateSandboxResponse> auto&) {}

void fields(auto& visit, Is<StartSandboxRequest> auto& m) { visit(1, m.sandbox_id); }

void fields(auto& visit, Is<StartSandboxResponse> auto& m) {
  visit(1, m.pid);
  visit(2, m.created_at);
  visit(3, m.spec);
}

void fields(auto& visit, Is<PlatformRequest> auto& m) { visit(1, m.sandbox_id); }

void fields(auto& visit, Is<Platform> auto& m) {
  visit(1, m.os);
  visit(2, m.architecture);
  visit(3, m.variant);
  visit(4, m.os_version);
}

void fields(auto& visit, Is<PlatformResponse> auto& m) { visit(1, m.platform); }

void fields(auto& visit, Is<StopSandboxRequest> auto& m) {
  visit(1, m.sandbox_id);
  visit(2, m.timeout_secs);
}

void fields(auto&, Is<StopSandboxResponse> auto&) {}

void fields(auto& visit, Is<UpdateSandboxRequest> auto& m) { visit(1, m.sandbox_id); }

void fields(auto&, Is<UpdateSandboxResponse> auto&) {}

void fields(auto& visit, Is<WaitSandboxRequest> auto& m) { visit(1, m.sandbox_id); }

void fields(auto& visit, Is<WaitSandboxResponse> auto& m) {
  visit(1, m.exit_status);
  visit(2, m.exited_at);
}

void fields(auto& visit, Is<SandboxStatusRequest> auto& m) {
  visit(1, m.sandbox_id);
  visit(2, m.verbose);
}

void fields(auto& visit, Is<SandboxStatusResponse> auto& m) {
  visit(1, m.sandbox_id);
  visit(2, m.pid);
  visit(3, m.state);
  visit(4, m.info);
  visit(5, m.created_at);
  visit(6, m.exited_at);
  visit(7, m.extra);
}

void fields(auto& visit, Is<PingRequest> auto& m) { visit(1, m.sandbox_id); }

void fields(auto&, Is<PingResponse> auto&) {}

void fields(auto& visit, Is<ShutdownSandboxRequest> auto& m) { visit(1, m.sandbox_id); }

void fields(auto&, Is<ShutdownSandboxResponse> auto&) {}

void fields(auto& visit, Is<SandboxMetricsRequest> auto& m) { visit(1, m.sandbox_id); }

void fields(auto& visit, Is<Metric> auto& m) {
  visit(1, m.timestamp);
  visit(2, m.id);
  visit(3, m.data);
}

void fields(auto& visit, Is<SandboxMetricsResponse> auto& m) { visit(1, m.metrics); }

MESSAGE(CreateSandboxRequest);
MESSAGE(CreateSandboxResponse);
MESSAGE(StartSandboxRequest);
MESSAGE(StartSandboxResponse);
MESSAGE(PlatformRequest);
MESSAGE(Platform);
MESSAGE(PlatformResponse);
MESSAGE(StopSandboxRequest);
MESSAGE(StopSandboxResponse);
MESSAGE(UpdateSandboxRequest);
MESSAGE(UpdateSandboxResponse);
MESSAGE(WaitSandboxRequest);
MESSAGE(WaitSandboxResponse);
MESSAGE(SandboxStatusRequest);
MESSAGE(SandboxStatusResponse);
MESSAGE(PingRequest);
MESSAGE(PingResponse);
MESSAGE(ShutdownSandboxRequest);
MESSAGE(ShutdownSandboxResponse);
MESSAGE(SandboxMetricsRequest);
MESSAGE(Metric);
MESSAGE(SandboxMetricsResponse);

}  // namespace shim::protocol
