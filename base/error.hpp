// The error of every folder but the engine's guest-facing half: a value that says what could not be
// done, by which call, on which subject, and in which steps its callers were.
#pragma once

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace base {

/// What a caller can act on. Programs map kinds to exit codes and status codes in one place each.
enum class ErrorKind : std::uint8_t {
  System,         ///< a system call failed; errno is set
  Invalid,        ///< input that breaks its specification
  NotFound,       ///< the named thing does not exist
  AlreadyExists,  ///< the named thing exists already
  WrongState,     ///< the operation is not allowed in the present state
  Unsupported,    ///< legal, but not implemented or not granted by this kernel
  LimitExceeded,  ///< input larger than a stated limit
  Internal,       ///< a broken invariant of our own that could be reported
};

/// One pointer wide; moves only. Text is lower case and without a full stop, outermost step first:
/// "create c1: mount /proc: fsmount proc: permission denied".
class [[nodiscard]] Error {
 public:
  /// A failure that is not a system call's.
  Error(ErrorKind kind, std::string text);
  /// A failed system call: its name, what it was applied to (may be empty), and errno.
  Error(std::string_view call, std::string_view subject, int sys_errno);
  Error(Error&&) noexcept = default;
  Error& operator=(Error&&) noexcept = default;
  ~Error() = default;

  ErrorKind kind() const { return detail_->kind; }
  /// 0 when no system call failed.
  int sys_errno() const { return detail_->sys_errno; }
  const std::string& call() const { return detail_->call; }
  const std::string& subject() const { return detail_->subject; }
  /// Outermost first.
  std::vector<std::string> steps() const;
  /// Everything, on one line.
  std::string message() const;

  /// Adds the step that the caller was in; the outermost caller adds last.
  void add_context(std::string step) { detail_->steps.push_back(std::move(step)); }
  void set_kind(ErrorKind kind) { detail_->kind = kind; }

 private:
  struct Detail {
    ErrorKind kind;
    int sys_errno;
    std::string call;
    std::string subject;
    std::string text;
    std::vector<std::string> steps;  // innermost first
  };
  std::unique_ptr<Detail> detail_;
};

/// The text of an errno as Go's and runc's users know it: "no such file or directory".
std::string errno_text(int sys_errno);

}  // namespace base
