#include "oci/field_reader.hpp"

namespace oci {

std::string JsonPath::text() const {
  const std::string before = parent == nullptr ? std::string() : parent->text();
  switch (step) {
    case Step::Root:
      return {};
    case Step::Member:
      return before.empty() ? std::string(name) : before + "." + std::string(name);
    case Step::Key:
      return before + "[\"" + std::string(name.substr(0, 64)) + "\"]";
    case Step::Element:
      return before + "[" + std::to_string(index) + "]";
  }
  return {};
}

void ReadFailure::set(const JsonPath& at, std::string_view problem) {
  error.emplace(base::ErrorKind::Invalid, at.text() + ": " + std::string(problem));
}

void ReadFailure::wrong_kind(const JsonPath& at, std::string_view expected, json::Value found) {
  set(at,
      "expected " + std::string(expected) + ", got " + std::string(json::kind_name(found.kind())));
}

}  // namespace oci
