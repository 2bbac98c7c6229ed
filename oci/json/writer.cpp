#include "oci/json/writer.hpp"

#include <cstddef>

#include "oci/json/utf8.hpp"

namespace oci::json {
void Writer::key(std::string_view name) {
  separate();
  quote(name);
  text_ += indent_.empty() ? ":" : ": ";
  after_key_ = true;
}

void Writer::value(std::string_view text) {
  separate();
  quote(text);
}

void Writer::plain(std::string_view token) {
  separate();
  text_ += token;
}

void Writer::begin(char bracket) {
  separate();
  text_ += bracket;
  has_items_.push_back(false);
}

void Writer::end(char bracket) {
  const bool had_items = has_items_.back();
  has_items_.pop_back();
  if (had_items) new_line();
  text_ += bracket;
}

void Writer::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (has_items_.empty()) return;
  if (has_items_.back()) text_ += ',';
  has_items_.back() = true;
  new_line();
}

void Writer::new_line() {
  if (indent_.empty()) return;
  text_ += '\n';
  for (std::size_t level = 0; level < has_items_.size(); ++level) text_ += indent_;
}

void Writer::quote(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  text_ += '"';
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      text_ += "\xEF\xBF\xBD";
    } else if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += text.front();
    } else if (c == '\n') {
      text_ += "\\n";
    } else if (c == '\t') {
      text_ += "\\t";
    } else if (c < 0x20) {
      text_ += "\\u00";
      text_ += kHex[c >> 4];
      text_ += kHex[c & 15];
    } else {
      text_ += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  text_ += '"';
}

}  // namespace oci::json
