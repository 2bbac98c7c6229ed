// Derivation of a status.
#include "runtime/state/status.hpp"

#include "runtime/cgroup/cgroup.hpp"
#include "runtime/state/process_id.hpp"

namespace runtime::state {

oci::Status status_of(const Record& record) {
  if (record.phase == Phase::Creating) {
    return alive(record.creator) ? oci::Status::Creating : oci::Status::Stopped;
  }
  if (!record.init || !alive(*record.init)) return oci::Status::Stopped;
  if (cgroup::Cgroup(record.cgroup).frozen().value_or(false)) return oci::Status::Paused;
  return record.phase == Phase::Created ? oci::Status::Created : oci::Status::Running;
}

oci::State to_oci_state(const Record& record, oci::Status status) {
  oci::State out;
  out.oci_version = record.oci_version;
  out.id = record.id;
  out.status = status;
  if (record.init && status != oci::Status::Stopped) out.pid = record.init->pid;
  out.bundle = record.bundle;
  out.annotations = record.annotations;
  return out;
}

}  // namespace runtime::state
