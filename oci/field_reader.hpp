// Fills structs from a JSON tree by the tables of fields.hpp. The first failure stops the work and
// names its place; until then no path is ever spelled out.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "oci/fields.hpp"
#include "oci/json/document.hpp"
#include "oci/names.hpp"

namespace oci {

/// A place in the document as a chain on the stack.
struct JsonPath {
  enum class Step : std::uint8_t { Root, Member, Key, Element };

  const JsonPath* parent = nullptr;
  Step step = Step::Root;
  std::string_view name;
  std::size_t index = 0;

  /// "process.rlimits[0].hard", "linux.sysctl[\"net.ipv4.ip_forward\"]".
  std::string text() const;
};

/// What all readers of one document share.
struct ReadFailure {
  std::optional<base::Error> error;

  void set(const JsonPath& at, std::string_view problem);
  void wrong_kind(const JsonPath& at, std::string_view expected, json::Value found);
};

class FieldReader {
 public:
  FieldReader(json::Value object, const JsonPath& at, ReadFailure& failure)
      : object_(object), at_(at), failure_(failure) {}

  template <typename T>
  void field(std::string_view name, T& out) {
    read_member(name, out);
  }
  template <typename T>
  void always(std::string_view name, T& out) {
    read_member(name, out);
  }
  template <typename T>
  void required(std::string_view name, T& out) {
    if (!read_member(name, out) && !failure_.error) {
      failure_.set({&at_, JsonPath::Step::Member, name, 0}, "is missing");
    }
  }

 private:
  /// False when the member is absent, null, or the empty name of an enum (Go's zero value).
  template <typename T>
  bool read_member(std::string_view name, T& out) {
    if (failure_.error) return false;
    const std::optional<json::Value> member = object_.find(name);
    if (!member || member->is_null()) return false;
    if constexpr (std::is_enum_v<T>) {
      if (member->string() == "") return false;
    }
    read(*member, {&at_, JsonPath::Step::Member, name, 0}, out);
    return true;
  }

  template <typename T>
  void read(json::Value value, const JsonPath& at, std::optional<T>& out) {
    read(value, at, out.emplace());
  }

  /// {} and null switch seccomp off: neither a default nor a rule (as runc reads it).
  void read(json::Value value, const JsonPath& at, std::optional<Seccomp>& out) {
    const std::optional<json::Value> action = value.find("defaultAction");
    const std::optional<json::Value> syscalls = value.find("syscalls");
    const bool no_action = !action || action->is_null() || action->string() == "";
    if (value.is_object() && no_action && (!syscalls || !syscalls->has_elements())) return;
    read(value, at, out.emplace());
  }

  template <typename T>
  void read(json::Value value, const JsonPath& at, std::vector<T>& out) {
    if (!value.is_array()) return failure_.wrong_kind(at, "array", value);
    out.clear();
    std::size_t index = 0;
    value.for_each_element([&](json::Value element) {
      if (failure_.error) return;
      T& item = out.emplace_back();
      const JsonPath item_at{&at, JsonPath::Step::Element, {}, index++};
      if (!element.is_null() || std::is_enum_v<T>) read(element, item_at, item);
    });
  }

  template <typename T>
  void read(json::Value value, const JsonPath& at, std::map<std::string, T>& out) {
    if (!value.is_object()) return failure_.wrong_kind(at, "object", value);
    value.for_each_member([&](std::string_view key, json::Value member) {
      if (failure_.error) return;
      const JsonPath item_at{&at, JsonPath::Step::Key, key, 0};
      if (key.contains('\0')) return failure_.set(at, "has a key with a NUL byte");
      T& item = out[std::string(key)];
      item = T{};
      if (!member.is_null()) read(member, item_at, item);
    });
  }

  void read(json::Value value, const JsonPath& at, std::string& out) {
    const std::optional<std::string_view> text = value.string();
    if (!text) return failure_.wrong_kind(at, "string", value);
    // All of these end up in C strings of system calls, where they would be cut short.
    if (text->contains('\0')) return failure_.set(at, "contains a NUL byte");
    out = *text;
  }

  void read(json::Value value, const JsonPath& at, bool& out) {
    const std::optional<bool> flag = value.boolean();
    if (!flag) return failure_.wrong_kind(at, "boolean", value);
    out = *flag;
  }

  template <std::integral T>
  void read(json::Value value, const JsonPath& at, T& out) {
    if (const auto number = value.unsigned_integer(); number && std::in_range<T>(*number)) {
      out = static_cast<T>(*number);
    } else if (const auto negative = value.signed_integer();
               negative && std::in_range<T>(*negative)) {
      out = static_cast<T>(*negative);
    } else {
      failure_.set(at, "must be an integer from " + std::to_string(std::numeric_limits<T>::min()) +
                           " to " + std::to_string(std::numeric_limits<T>::max()));
    }
  }

  template <typename E>
    requires std::is_enum_v<E>
  void read(json::Value value, const JsonPath& at, E& out) {
    const std::optional<std::string_view> text = value.string();
    if (!text) return failure_.wrong_kind(at, "string", value);
    const std::optional<E> known = from_name<E>(*text);
    if (!known) {
      return failure_.set(at, "invalid " + std::string(names<E>().noun) + " \"" +
                                  std::string(text->substr(0, 64)) + "\"");
    }
    out = *known;
  }

  template <typename T>
    requires std::is_class_v<T>
  void read(json::Value value, const JsonPath& at, T& out) {
    if (!value.is_object()) return failure_.wrong_kind(at, "object", value);
    FieldReader inner(value, at, failure_);
    fields(inner, out);
  }

  json::Value object_;
  const JsonPath& at_;
  ReadFailure& failure_;
};

/// A document whose root is the object T. `subject` is what the error names for the root itself.
template <typename T>
base::Result<T> read_document(std::string_view text, std::string_view subject) {
  const json::Document document = TRY(base::with_context(json::Document::parse(text), subject));
  if (!document.root().is_object()) {
    return base::fail(base::ErrorKind::Invalid,
                      std::string(subject) + ": expected object, got " +
                          std::string(json::kind_name(document.root().kind())));
  }
  T out;
  const JsonPath root;
  ReadFailure failure;
  FieldReader reader(document.root(), root, failure);
  fields(reader, out);
  if (failure.error) return std::unexpected(std::move(*failure.error));
  return out;
}

}  // namespace oci
