// Writing an artifact: docs/formats/artifact.md.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/sha256.hpp"
#include "engine/artifact/compiled_code.hpp"
#include "engine/artifact/cpu.hpp"
#include "engine/structure/module.hpp"

namespace engine::artifact {

/// Everything on which the content of an artifact depends.
struct ArtifactKey {
  base::Sha256 module_digest{};
  std::string compiler;  ///< name and version, at most 95 bytes
  std::string options;   ///< fingerprint of the compiler's options
  CpuFeatures cpu_features = 0;
};

/// The name under which a cache keeps the artifact; format and ABI version go in, too.
base::Sha256 digest_of(const ArtifactKey& key);

/// The whole file, with an authentication field of zeros. `module` is valid and `code` its own.
/// Invalid where `code` does not fit `module`, LimitExceeded beyond the format's limits.
base::Result<std::vector<std::byte>> write_artifact(const Module& module, const CompiledCode& code,
                                                    const ArtifactKey& key);

}  // namespace engine::artifact
