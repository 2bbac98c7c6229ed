// From the text of config.json, process.json and resources.json to data, as lenient as runc:
// unknown fields are ignored, null is absence, the last of equal keys wins, any ociVersion is
// taken.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.hpp"
#include "oci/json/document.hpp"
#include "oci/spec.hpp"

namespace oci {

/// Longer documents are refused before anything is allocated for them: read no more than this.
inline constexpr std::size_t kMaxConfigBytes = json::kMaxBytes;

/// Each fails with Invalid and a JSON path ("process.rlimits[0].hard: ...") for malformed JSON,
/// wrong types, numbers out of range, names that the spec does not know and strings with NUL bytes;
/// with LimitExceeded for more than kMaxConfigBytes, json::kMaxDepth levels or json::kMaxValues
/// values. Whether the values make sense together is validate.hpp's business.
base::Result<Spec> parse_spec(std::string_view json);
/// The file of `exec --process`.
base::Result<Process> parse_process(std::string_view json);
/// The document of `update --resources`.
base::Result<Resources> parse_resources(std::string_view json);

}  // namespace oci
