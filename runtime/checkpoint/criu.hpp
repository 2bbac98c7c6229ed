// The program criu and a conversation with it: docs/formats/criu.md.
#pragma once

#include <sys/types.h>

#include <functional>
#include <span>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "runtime/checkpoint/rpc.hpp"

namespace runtime::checkpoint {

/// What criu tells on the way. It waits until this returns, and gives up on an error. `descriptor`
/// is empty but for "orphan-pts-master".
using OnNotification =
    std::function<base::Result<void>(const Response& response, base::UniqueFd descriptor)>;

/// A running `criu swrk`, a child of the calling process, which must have no handler for SIGCHLD
/// that reaps. Killed, if it still runs, at the end of this object.
class Criu {
 public:
  /// `own_stdio`: it gets the caller's standard descriptors, otherwise /dev/null. `passed` become
  /// its descriptors from kFirstPassed on. NotFound without criu in PATH.
  static base::Result<Criu> start(bool own_stdio, std::span<const int> passed);

  Criu(Criu&& other) noexcept;
  Criu& operator=(Criu&&) = delete;
  ~Criu();

  pid_t pid() const { return pid_; }
  /// One request with all that follows, up to the end of the program. An answer without success is
  /// an error.
  base::Result<Response> ask(std::string_view request, const OnNotification& on_notification);

 private:
  Criu(base::UniqueFd socket, pid_t pid) : socket_(std::move(socket)), pid_(pid) {}
  base::Result<Response> converse(std::string_view request, const OnNotification& on_notification);
  int wait();

  base::UniqueFd socket_;
  pid_t pid_ = 0;  ///< 0: has been waited for
};

inline constexpr int kFirstPassed = 4;

/// Unsupported when criu is too old.
base::Result<void> check_version();
/// Unsupported with the names of what this kernel or criu lacks.
base::Result<void> check_features(const Features& wanted);

}  // namespace runtime::checkpoint
