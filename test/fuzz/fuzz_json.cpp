// Our JSON reader against nlohmann's: both take the same texts and see the same values.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "oci/json/document.hpp"

namespace {

using Theirs = nlohmann::json;
using oci::json::Kind;
using oci::json::Value;

void expect(bool same) {
  if (!same) std::abort();
}

// nlohmann refuses lone surrogates in escapes, which we replace as Go does.
bool has_surrogate_escape(std::string_view text) {
  for (std::size_t at = text.find("\\u"); at != text.npos; at = text.find("\\u", at + 1)) {
    if (at + 2 < text.size() && (text[at + 2] == 'd' || text[at + 2] == 'D')) return true;
  }
  return false;
}

void compare(Value ours, const Theirs& theirs) {
  switch (ours.kind()) {
    case Kind::Null:
      return expect(theirs.is_null());
    case Kind::False:
    case Kind::True:
      return expect(theirs.is_boolean() && theirs.get<bool>() == ours.boolean());
    case Kind::Unsigned:
      return expect(theirs.is_number_integer() &&
                    theirs.get<std::uint64_t>() == ours.unsigned_integer());
    case Kind::Negative:
      return expect(theirs.is_number_integer() &&
                    theirs.get<std::int64_t>() == ours.signed_integer());
    case Kind::OtherNumber:
      return expect(theirs.is_number_float());
    case Kind::String:
      return expect(theirs.is_string() && theirs.get_ref<const std::string&>() == ours.string());
    case Kind::Array: {
      expect(theirs.is_array());
      std::size_t index = 0;
      ours.for_each_element([&](Value element) {
        expect(index < theirs.size());
        compare(element, theirs[index++]);
      });
      return expect(index == theirs.size());
    }
    case Kind::Object:
      expect(theirs.is_object());
      ours.for_each_member([&](std::string_view key, Value) {
        const auto member = theirs.find(std::string(key));
        expect(member != theirs.end());
        compare(*ours.find(key), *member);
      });
      return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Safety: bytes may be viewed as char.
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // nlohmann skips a byte order mark, takes a NUL for the end, and refuses numbers beyond double.
  if (text.starts_with("\xEF\xBB\xBF") || text.contains('\0') || has_surrogate_escape(text)) {
    return 0;
  }
  const auto ours = oci::json::Document::parse(text);
  if (!ours && ours.error().kind() == base::ErrorKind::LimitExceeded) return 0;
  const Theirs theirs = Theirs::parse(text, nullptr, false);
  if (ours && theirs.is_discarded()) {
    expect(text.find_first_of("eE") != text.npos || size > 300);
    return 0;
  }
  expect(ours.has_value() == !theirs.is_discarded());
  if (ours) compare(ours->root(), theirs);
  return 0;
}
