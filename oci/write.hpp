// From data back to JSON, with the spec's field names; empty optional fields are left out.
#pragma once

#include <string>
#include <string_view>

#include "oci/spec.hpp"

namespace oci {

/// `indent` is repeated per level ("\t" for files that people edit); empty gives one line. Equal
/// data gives equal text, so a digest of the text is a digest of the data.
std::string to_json(const Spec& spec, std::string_view indent = {});
std::string to_json(const Process& process, std::string_view indent = {});
std::string to_json(const Resources& resources, std::string_view indent = {});
std::string to_json(const Seccomp& seccomp, std::string_view indent = {});

}  // namespace oci
