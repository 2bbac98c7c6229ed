// The status of a container now: the record, and what the kernel says of its process.
#pragma once

#include "oci/state.hpp"
#include "runtime/state/record.hpp"

namespace runtime::state {

/// As the table in docs/formats/state.md.
oci::Status status_of(const Record& record);

/// The specification's state, as hooks and `state` see it. `status` is passed in, because hooks run
/// at moments that it cannot be derived from. The pid is left out when stopped.
oci::State to_oci_state(const Record& record, oci::Status status);

}  // namespace runtime::state
