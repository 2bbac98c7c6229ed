// A container as `state` and `list` print it: the specification's state and runc's additions.
#pragma once

#include <string>
#include <string_view>

#include "oci/json/writer.hpp"
#include "oci/state.hpp"
#include "runtime/state/record.hpp"

namespace runtime::cli {

/// "running", as the specification spells it.
std::string_view status_name(oci::Status status);
/// 0 when it is stopped.
pid_t shown_pid(const state::Record& record, oci::Status status);
/// The name of a user, or "#<uid>". Read from /etc/passwd, because a static program has no NSS.
std::string user_name(uid_t uid);
/// One object: ociVersion, id, pid, status, bundle, rootfs, created, annotations, owner.
void write_container(oci::json::Writer& writer, const state::Record& record, oci::Status status);

}  // namespace runtime::cli
