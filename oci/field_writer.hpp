// Writes structs as JSON by the tables of fields.hpp.
#pragma once

#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "oci/fields.hpp"
#include "oci/json/writer.hpp"
#include "oci/names.hpp"

namespace oci {

template <typename T>
bool is_empty(const T& value);

/// A visitor that finds out whether a struct has anything to write.
class EmptinessProbe {
 public:
  void field(std::string_view, const auto& value) { empty_ = empty_ && is_empty(value); }
  void always(std::string_view, const auto&) { empty_ = false; }
  void required(std::string_view, const auto&) { empty_ = false; }
  bool empty() const { return empty_; }

 private:
  bool empty_ = true;
};

template <typename T>
bool is_empty(const T& value) {
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
    return value == T{};
  } else if constexpr (requires { value.has_value(); }) {
    return !value.has_value();
  } else if constexpr (requires { value.empty(); }) {
    return value.empty();
  } else {
    EmptinessProbe probe;
    fields(probe, value);
    return probe.empty();
  }
}

class FieldWriter {
 public:
  explicit FieldWriter(json::Writer& out) : out_(out) {}

  void field(std::string_view name, const auto& value) {
    if (!is_empty(value)) always(name, value);
  }
  void always(std::string_view name, const auto& value) {
    out_.key(name);
    write(value);
  }
  void required(std::string_view name, const auto& value) { always(name, value); }

  template <typename T>
  void write(const std::optional<T>& value) {
    write(*value);
  }
  template <typename T>
  void write(const std::vector<T>& values) {
    out_.begin_array();
    for (const T& value : values) write(value);
    out_.end_array();
  }
  template <typename T>
  void write(const std::map<std::string, T>& values) {
    out_.begin_object();
    for (const auto& [key, value] : values) always(key, value);
    out_.end_object();
  }
  template <typename T>
  void write(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      out_.value(name_of(value));
    } else if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
      out_.value(value);
    } else {
      out_.begin_object();
      fields(*this, value);
      out_.end_object();
    }
  }

 private:
  json::Writer& out_;
};

template <typename T>
std::string write_document(const T& value, std::string_view indent) {
  json::Writer out(indent);
  FieldWriter(out).write(value);
  return out.take();
}

}  // namespace oci
