// The only file that includes RapidJSON: its SAX reader in place, iterative (no recursion on
// hostile nesting), with UTF-8 checked. Its DOM is not used: document.h does not compile with
// clang-19.
#include "oci/json/document.hpp"

#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <bit>
#include <limits>

namespace oci::json {
namespace {

constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag |
                            rapidjson::kParseValidateEncodingFlag;

// Receives RapidJSON's events; its interface dictates the CamelCase. Returning false stops the
// parse.
class TreeBuilder {
 public:
  TreeBuilder(const char* text, std::vector<Node>& nodes) : text_(text), nodes_(nodes) {}

  bool limit_exceeded() const { return limit_exceeded_; }

  bool Null() { return add({0, 0, Kind::Null}); }
  bool Bool(bool flag) { return add({0, 0, flag ? Kind::True : Kind::False}); }
  bool Int(int number) { return Int64(number); }
  bool Uint(unsigned number) { return Uint64(number); }
  bool Int64(std::int64_t number) {
    if (number >= 0) return Uint64(static_cast<std::uint64_t>(number));
    return add({std::bit_cast<std::uint64_t>(number), 0, Kind::Negative});
  }
  bool Uint64(std::uint64_t number) { return add({number, 0, Kind::Unsigned}); }
  bool Double(double number) {
    return add({std::bit_cast<std::uint64_t>(number), 0, Kind::Double});
  }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return false; }
  bool String(const char* begin, rapidjson::SizeType length, bool) {
    return add({static_cast<std::uint64_t>(begin - text_), length, Kind::String});
  }
  bool Key(const char* begin, rapidjson::SizeType length, bool copied) {
    return String(begin, length, copied);
  }
  bool StartObject() { return open(Kind::Object); }
  bool StartArray() { return open(Kind::Array); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool EndArray(rapidjson::SizeType) { return close(); }

 private:
  bool add(Node node) {
    limit_exceeded_ = nodes_.size() == kMaxValues;
    if (limit_exceeded_) return false;
    nodes_.push_back(node);
    return true;
  }
  bool open(Kind kind) {
    limit_exceeded_ = open_.size() == kMaxDepth;
    if (limit_exceeded_) return false;
    open_.push_back(nodes_.size());
    return add({0, 0, kind});
  }
  bool close() {
    nodes_[open_.back()].extent = static_cast<std::uint32_t>(nodes_.size());
    open_.pop_back();
    return true;
  }

  const char* text_;
  std::vector<Node>& nodes_;
  std::vector<std::size_t> open_;
  bool limit_exceeded_ = false;
};

}  // namespace

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::Null:
      return "null";
    case Kind::False:
    case Kind::True:
      return "boolean";
    case Kind::Unsigned:
    case Kind::Negative:
    case Kind::Double:
      return "number";
    case Kind::String:
      return "string";
    case Kind::Array:
      return "array";
    case Kind::Object:
      return "object";
  }
  return {};
}

base::Result<Document> Document::parse(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return base::fail(base::ErrorKind::LimitExceeded,
                      "JSON of more than " + std::to_string(kMaxBytes) + " bytes");
  }
  // The reader takes a NUL for the end of the text; without this, what follows one would be
  // ignored.
  if (const std::size_t nul = text.find('\0'); nul != text.npos) {
    return base::fail(base::ErrorKind::Invalid,
                      "invalid JSON at byte " + std::to_string(nul) + ": NUL byte");
  }
  Document document;
  document.text_ = text;
  rapidjson::InsituStringStream stream(document.text_.data());
  TreeBuilder builder(document.text_.data(), document.nodes_);
  rapidjson::Reader reader;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder);
  if (builder.limit_exceeded()) {
    return base::fail(base::ErrorKind::LimitExceeded,
                      "JSON of more than " + std::to_string(kMaxDepth) + " levels or " +
                          std::to_string(kMaxValues) + " values");
  }
  if (result.IsError()) {
    return base::fail(base::ErrorKind::Invalid, "invalid JSON at byte " +
                                                    std::to_string(result.Offset()) + ": " +
                                                    rapidjson::GetParseError_En(result.Code()));
  }
  return document;
}

std::optional<std::string_view> Value::string() const {
  const Node& self = node();
  if (self.kind != Kind::String) return std::nullopt;
  return std::string_view(document_->text_).substr(self.payload, self.extent);
}

std::optional<bool> Value::boolean() const {
  if (kind() == Kind::True) return true;
  if (kind() == Kind::False) return false;
  return std::nullopt;
}

std::optional<std::uint64_t> Value::unsigned_integer() const {
  if (kind() != Kind::Unsigned) return std::nullopt;
  return node().payload;
}

std::optional<std::int64_t> Value::signed_integer() const {
  const Node& self = node();
  if (self.kind == Kind::Negative) return std::bit_cast<std::int64_t>(self.payload);
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (self.kind != Kind::Unsigned || self.payload > kMax) return std::nullopt;
  return static_cast<std::int64_t>(self.payload);
}

std::optional<Value> Value::find(std::string_view name) const {
  std::optional<Value> found;
  for_each_member([&](std::string_view key, Value member) {
    if (key == name) found = member;
  });
  return found;
}

}  // namespace oci::json
