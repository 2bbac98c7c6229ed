// What the process does that holds a pod's namespaces.
#pragma once

namespace shim::service {

/// Waits for SIGTERM or SIGINT and ends with 0. As the first process of a pod's pid namespace it is
/// the parent of orphans, whose ends it takes.
[[noreturn]] void pause();

}  // namespace shim::service
