// The parts of validate(const Spec&) that concern the section `linux`; private to the validator.
#pragma once

#include "oci/validate.hpp"

namespace oci {

base::Result<void> check_namespaces(const Linux& section);
base::Result<void> check_linux(const Linux& section, Warnings& warnings);
base::Result<void> check_resources(const Resources& resources);
base::Result<void> check_sysctl(const Linux& section);
base::Result<void> check_seccomp(const Seccomp& seccomp);

}  // namespace oci
