// The loopback device of a new network namespace: netdevice(7).
#pragma once

#include "base/result.hpp"

namespace runtime::namespaces {

/// Sets `lo` up in the caller's network namespace.
base::Result<void> raise_loopback();

}  // namespace runtime::namespaces
