#include "oci/parse.hpp"

#include "oci/field_reader.hpp"

namespace oci {

base::Result<Spec> parse_spec(std::string_view json) { return read_document<Spec>(json, "config"); }

base::Result<Process> parse_process(std::string_view json) {
  return read_document<Process>(json, "process");
}

base::Result<Resources> parse_resources(std::string_view json) {
  return read_document<Resources>(json, "resources");
}

base::Result<State> parse_state(std::string_view json) {
  return read_document<State>(json, "state");
}

}  // namespace oci
