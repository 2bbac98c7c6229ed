// What the commands that take a module's file share: opening it, and showing a compile.
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "engine/cache/obtain.hpp"
#include "runtime/cli/log.hpp"

namespace runtime::cli {

/// Invalid for what is no module, Unsupported for a component.
base::Result<base::UniqueFd> open_module(const std::string& path);

/// A bar on a terminal, a line every ten per cent elsewhere; to standard error.
engine::cache::Progress show_progress(const std::string& path);

/// The artifact, from the cache or compiled now with progress shown; warnings go to the log.
base::Result<engine::cache::Obtained> obtain_artifact(const std::string& path, int module,
                                                      const Log& log,
                                                      const engine::cache::Progress& progress);

}  // namespace runtime::cli
