// Field numbers of containerd.runtime.bootstrap.v1 and of RuntimeInfo.
#include "shim/protocol/bootstrap.hpp"
#include "shim/protocol/shared_fields.hpp"

namespace shim::protocol {

void fields(auto& visit, Is<BootstrapExtension> auto& m) { visit(1, m.value); }

void fields(auto& visit, Is<BootstrapParams> auto& m) {
  visit(1, m.instance_id);
  visit(2, m.name_space);
  visit(3, m.log_level);
  visit(4, m.containerd_version);
  visit(5, m.containerd_ttrpc_address);
  visit(6, m.containerd_grpc_address);
  visit(7, m.containerd_binary);
  visit(8, m.extensions);
  visit(9, m.socket_dir);
}

void fields(auto& visit, Is<BootstrapResult> auto& m) {
  visit(1, m.version);
  visit(2, m.address);
  visit(3, m.protocol);
}

void fields(auto& visit, Is<RuntimeVersion> auto& m) {
  visit(1, m.version);
  visit(2, m.revision);
}

void fields(auto& visit, Is<RuntimeInfo> auto& m) {
  visit(1, m.name);
  visit(2, m.version);
  visit(3, m.options);
  visit(4, m.features);
  visit(5, m.annotations);
}

MESSAGE(BootstrapExtension);
MESSAGE(BootstrapParams);
MESSAGE(BootstrapResult);
MESSAGE(RuntimeVersion);
MESSAGE(RuntimeInfo);

}  // namespace shim::protocol
