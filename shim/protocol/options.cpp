// Field numbers of the options messages.
#include "shim/protocol/options.hpp"
#include "shim/protocol/shared_fields.hpp"

namespace shim::protocol {

void fields(auto& visit, Is<RuncOptions> auto& m) {
  visit(1, m.no_pivot_root);
  visit(2, m.no_new_keyring);
  visit(3, m.shim_cgroup);
  visit(4, m.io_uid);
  visit(5, m.io_gid);
  visit(6, m.binary_name);
  visit(7, m.root);
  visit(9, m.systemd_cgroup);
  visit(10, m.criu_image_path);
  visit(11, m.criu_work_path);
  visit(12, m.task_api_address);
  visit(13, m.task_api_version);
}

void fields(auto& visit, Is<RuntimeOptions> auto& m) {
  visit(1, m.type_url);
  visit(2, m.config_path);
  visit(3, m.config_body);
}

void fields(auto& visit, Is<CheckpointOptions> auto& m) {
  visit(1, m.exit);
  visit(2, m.open_tcp);
  visit(3, m.external_unix_sockets);
  visit(4, m.terminal);
  visit(5, m.file_locks);
  visit(6, m.empty_namespaces);
  visit(7, m.cgroups_mode);
  visit(8, m.image_path);
  visit(9, m.work_path);
}

MESSAGE(RuncOptions);
MESSAGE(RuntimeOptions);
MESSAGE(CheckpointOptions);

}  // namespace shim::protocol
