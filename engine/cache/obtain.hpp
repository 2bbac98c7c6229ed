// From a module's file to the artifact to run: from the cache, or compiled now.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/sha256.hpp"
#include "base/unique_fd.hpp"
#include "engine/cache/cache.hpp"
#include "engine/cache/compile_process.hpp"

namespace engine::cache {

struct ObtainOptions {
  /// The path of wherry-compile; asked for on a miss only.
  std::function<base::Result<std::string>()> find_compiler;
  Progress progress;  ///< may be empty
};

struct Obtained {
  base::UniqueFd artifact;  ///< read-only
  bool compiled = false;    ///< false: it was in the cache
  CompileReport report;     ///< of the compile
  base::Sha256 key{};
  std::vector<std::string> warnings;  ///< why it could not be kept
};

/// The key of a module's artifact for this machine and this compiler.
base::Result<base::Sha256> key_for(const base::Sha256& module_digest);

/// Looks the module up, without compiling; nothing on a miss.
base::Result<std::optional<base::UniqueFd>> look_up(const Cache& cache, int module,
                                                    std::string_view subject);

/// Blocks for as long as a compile takes. `module` is a readable regular file. A directory that
/// cannot be used is a warning, not a failure.
base::Result<Obtained> obtain(const std::string& cache_directory, int module,
                              std::string_view subject, const ObtainOptions& options);

}  // namespace engine::cache
