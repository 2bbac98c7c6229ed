// What this runtime does, for callers that ask before they use it: wherry features, the shim's
// -info.
#pragma once

#include "oci/features.hpp"

namespace runtime::container {

/// A switch is on only if the code is there; what this kernel or host lacks is not looked at
/// (features.md).
oci::Features supported_features();

}  // namespace runtime::container
