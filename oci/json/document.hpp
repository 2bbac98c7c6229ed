// A JSON text (RFC 8259) as a read-only tree with checked access. Built for configuration files:
// one pass, strings unescaped in place, one allocation for all values. Why it is our own:
// docs/decisions/003-json.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace oci::json {

inline constexpr std::size_t kMaxBytes = std::size_t{16} << 20;
inline constexpr std::size_t kMaxDepth = 64;
inline constexpr std::size_t kMaxValues = std::size_t{1} << 20;

enum class Kind : std::uint8_t {
  Null,
  False,
  True,
  Unsigned,     ///< an integer from 0 to UINT64_MAX
  Negative,     ///< an integer from INT64_MIN to -1
  OtherNumber,  ///< every other number; its value is not kept
  String,
  Array,
  Object
};

/// "null", "boolean", "number", "string", "array" or "object".
std::string_view kind_name(Kind kind);

/// One value in the order of the text. A container is followed by what it contains; an object's
/// keys are String nodes before their values.
struct Node {
  std::uint64_t payload = 0;  // an integer; where a string begins in the text
  std::uint32_t extent = 0;   // length of a string; index behind the last node of a container
  Kind kind = Kind::Null;
};

class Document;

/// A view into a Document, which must outlive it and stay in its place.
class Value {
 public:
  Kind kind() const;
  bool is_object() const { return kind() == Kind::Object; }
  bool is_array() const { return kind() == Kind::Array; }
  bool is_null() const { return kind() == Kind::Null; }
  /// Of a container that is not empty.
  bool has_elements() const;

  /// Each is empty when the value is of another kind or does not fit.
  std::optional<std::string_view> string() const;
  std::optional<bool> boolean() const;
  std::optional<std::uint64_t> unsigned_integer() const;
  std::optional<std::int64_t> signed_integer() const;

  /// The last member with that name; empty when there is none or this is no object.
  std::optional<Value> find(std::string_view name) const;

  /// Calls `visit(key, value)` for each member of an object, in the order of the text.
  template <typename Visit>
  void for_each_member(Visit visit) const;
  /// Calls `visit(value)` for each element of an array.
  template <typename Visit>
  void for_each_element(Visit visit) const;

 private:
  friend class Document;
  Value(const Document& document, std::uint32_t index) : document_(&document), index_(index) {}
  const Node& node() const;
  Value next() const;

  const Document* document_;
  std::uint32_t index_;
};

class Document {
 public:
  /// Takes what RFC 8259 allows, in UTF-8, within the limits above; nothing may follow the value
  /// but blanks. Half of a surrogate pair in an escape becomes U+FFFD, as in Go. Fails with Invalid
  /// (the byte offset is in the text) or LimitExceeded.
  static base::Result<Document> parse(std::string_view text);

  Value root() const { return {*this, 0}; }

 private:
  friend class Value;
  Document() = default;

  std::string text_;
  std::vector<Node> nodes_;
};

inline const Node& Value::node() const { return document_->nodes_[index_]; }
inline Kind Value::kind() const { return node().kind; }

inline bool Value::has_elements() const {
  return (is_array() || is_object()) && node().extent > index_ + 1;
}
inline Value Value::next() const {
  return {*document_, is_array() || is_object() ? node().extent : index_ + 1};
}

template <typename Visit>
void Value::for_each_member(Visit visit) const {
  if (!is_object()) return;
  for (Value key{*document_, index_ + 1}; key.index_ < node().extent;) {
    const Value member{*document_, key.index_ + 1};
    visit(*key.string(), member);
    key = member.next();
  }
}

template <typename Visit>
void Value::for_each_element(Visit visit) const {
  if (!is_array()) return;
  for (Value element{*document_, index_ + 1}; element.index_ < node().extent;
       element = element.next()) {
    visit(element);
  }
}

}  // namespace oci::json
