// The module "spectest" that scripts of the core test suite import (its interpreter's README).
#pragma once

#include "base/result.hpp"
#include "engine/execution/linker.hpp"
#include "engine/execution/store.hpp"

namespace conformance {

base::Result<void> define_spectest(engine::execution::Store& store,
                                   engine::execution::Linker& linker);

}  // namespace conformance
