#include "oci/write.hpp"

#include "oci/field_writer.hpp"

namespace oci {

std::string to_json(const Spec& spec, std::string_view indent) {
  return write_document(spec, indent);
}

std::string to_json(const Process& process, std::string_view indent) {
  return write_document(process, indent);
}

std::string to_json(const Resources& resources, std::string_view indent) {
  return write_document(resources, indent);
}

std::string to_json(const Seccomp& seccomp, std::string_view indent) {
  return write_document(seccomp, indent);
}

std::string to_json(const State& state) { return write_document(state, {}); }

std::string to_json(const ContainerProcessState& state) { return write_document(state, {}); }

}  // namespace oci
