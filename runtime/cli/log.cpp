// Log lines. Each is one write to a file opened with O_APPEND, so that lines of several processes
// do not mix.
#include "runtime/cli/log.hpp"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/file.hpp"
#include "oci/json/writer.hpp"

namespace runtime::cli {
namespace {

constexpr std::array<std::string_view, 4> kLevelNames{"debug", "info", "warning", "error"};

std::string now() {
  const time_t seconds = ::time(nullptr);
  tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  ::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

// As Go's %q for what matters here: quotes, backslashes and control characters.
std::string quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

std::string format_log_line(LogFormat format, LogLevel level, std::string_view message,
                            std::string_view time) {
  const std::string_view level_name = kLevelNames[static_cast<std::size_t>(level)];
  if (format == LogFormat::Json) {
    oci::json::Writer writer;
    writer.begin_object();
    writer.member("level", level_name);
    writer.member("msg", message);
    writer.member("time", time);
    writer.end_object();
    return writer.take() + '\n';
  }
  return "time=" + quoted(time) + " level=" + std::string(level_name) + " msg=" + quoted(message) +
         '\n';
}

base::Result<void> Log::open(const std::string& path, LogFormat format, bool debug) {
  format_ = format;
  debug_ = debug;
  if (path.empty()) return {};
  file_ = TRY(base::with_context(
      base::open_file(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY, 0644), "open log"));
  return {};
}

void Log::debug(std::string_view message) const {
  if (debug_) write(LogLevel::Debug, message);
}

void Log::error(std::string_view message) const {
  write(LogLevel::Error, message);
  if (!file_) return;
  (void)base::write_all(STDERR_FILENO, std::string(message) + '\n', "stderr");
}

void Log::write(LogLevel level, std::string_view message) const {
  // A person at a terminal needs neither the time nor the quotes.
  if (!file_ && format_ == LogFormat::Text && ::isatty(STDERR_FILENO) == 1) {
    const std::string name(kLevelNames[static_cast<std::size_t>(level)]);
    (void)base::write_all(STDERR_FILENO, name + ": " + std::string(message) + '\n', "stderr");
    return;
  }
  // A log that cannot be written is no reason to fail what is logged.
  (void)base::write_all(file_ ? file_.get() : STDERR_FILENO,
                        format_log_line(format_, level, message, now()), "log");
}

}  // namespace runtime::cli
