// Writes JSON (RFC 8259) into a string, front to back.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace oci::json {

/// Calls must nest as JSON does: in an object each value follows a key(). The text is always valid
/// UTF-8: bytes that are not become U+FFFD.
class Writer {
 public:
  /// `indent` is repeated per level; empty writes one line. It must outlive the writer.
  explicit Writer(std::string_view indent = {}) : indent_(indent) {}

  void begin_object() { begin('{'); }
  void end_object() { end('}'); }
  void begin_array() { begin('['); }
  void end_array() { end(']'); }
  void key(std::string_view name);

  void value(std::string_view text);
  void value(const char* text) { value(std::string_view(text)); }
  void value(const std::string& text) { value(std::string_view(text)); }
  void value(std::same_as<bool> auto flag) { plain(flag ? "true" : "false"); }
  void value(std::integral auto number)
    requires(!std::same_as<decltype(number), bool>)
  {
    plain(std::to_string(number));
  }
  void null() { plain("null"); }

  /// key() and value() in one.
  template <typename T>
  void member(std::string_view name, const T& content) {
    key(name);
    value(content);
  }

  /// The document; the writer is empty afterwards.
  std::string take() { return std::move(text_); }

 private:
  void begin(char bracket);
  void end(char bracket);
  void plain(std::string_view token);
  void separate();
  void new_line();
  void quote(std::string_view text);

  std::string_view indent_;
  std::string text_;
  std::vector<bool> has_items_;  // one per open bracket
  bool after_key_ = false;
};

}  // namespace oci::json
