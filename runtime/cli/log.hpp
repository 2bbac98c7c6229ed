// The log that containerd, conmon and people read: one line per event, in the forms of logrus.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace runtime::cli {

enum class LogFormat : std::uint8_t { Text, Json };
enum class LogLevel : std::uint8_t { Debug, Info, Warning, Error };

/// {"level":"error","msg":"...","time":"..."} or time="..." level=error msg="...", with a newline.
std::string format_log_line(LogFormat format, LogLevel level, std::string_view message,
                            std::string_view time);

/// Callers of a runtime show the last line of level error to their users, so that line has to be
/// the cause; it is written once per run, at its end.
class Log {
 public:
  /// To standard error, errors and warnings, until open() changes that.
  Log() = default;

  /// `path` empty: standard error. The file is opened for appending (0644) and made if missing.
  base::Result<void> open(const std::string& path, LogFormat format, bool debug);

  void debug(std::string_view message) const;
  void warning(std::string_view message) const { write(LogLevel::Warning, message); }
  /// With a log file the bare message goes to standard error as well.
  void error(std::string_view message) const;

 private:
  void write(LogLevel level, std::string_view message) const;

  base::UniqueFd file_;
  LogFormat format_ = LogFormat::Text;
  bool debug_ = false;
};

}  // namespace runtime::cli
