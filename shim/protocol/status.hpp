// google.rpc.Status: how a call ended, and which code the kinds of our errors become.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"

namespace shim::protocol {

/// google.rpc.Code. The daemon acts on two: NotFound is "gone already" and swallowed, so that it
/// may be said of missing things only; Unimplemented makes containerd 2 fall back to Task v2.
enum class Code : std::int32_t {
  Ok = 0,
  Canceled = 1,
  Unknown = 2,
  InvalidArgument = 3,
  DeadlineExceeded = 4,
  NotFound = 5,
  AlreadyExists = 6,
  PermissionDenied = 7,
  ResourceExhausted = 8,
  FailedPrecondition = 9,
  Aborted = 10,
  OutOfRange = 11,
  Unimplemented = 12,
  Internal = 13,
  Unavailable = 14,
  DataLoss = 15,
  Unauthenticated = 16,
};

struct Status {
  Code code = Code::Ok;
  std::string message;
  bool operator==(const Status&) const = default;
};

/// System errors become Unknown whatever their errno: a file that was missing on the way is not a
/// missing container. Only an error whose kind somebody set to NotFound or AlreadyExists by hand
/// (sys_errno() is 0) is one.
Status status_of(const base::Error& error);

}  // namespace shim::protocol
