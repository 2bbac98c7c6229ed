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

/// By the error's kind; but NotFound and AlreadyExists that come from an errno are a file's on the
/// way and no container's: Unknown.
Status status_of(const base::Error& error);

}  // namespace shim::protocol
