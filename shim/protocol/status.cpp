#include "shim/protocol/status.hpp"

namespace shim::protocol {
namespace {

Code code_of(base::ErrorKind kind) {
  switch (kind) {
    case base::ErrorKind::Invalid:
      return Code::InvalidArgument;
    case base::ErrorKind::NotFound:
      return Code::NotFound;
    case base::ErrorKind::AlreadyExists:
      return Code::AlreadyExists;
    case base::ErrorKind::WrongState:
      return Code::FailedPrecondition;
    case base::ErrorKind::Unsupported:
      return Code::Unimplemented;
    case base::ErrorKind::LimitExceeded:
      return Code::ResourceExhausted;
    case base::ErrorKind::Internal:
      return Code::Internal;
    case base::ErrorKind::System:
      break;
  }
  return Code::Unknown;
}

}  // namespace

Status status_of(const base::Error& error) {
  const Code code = code_of(error.kind());
  const bool of_a_file =
      error.sys_errno() != 0 && (code == Code::NotFound || code == Code::AlreadyExists);
  return {of_a_file ? Code::Unknown : code, error.message()};
}

}  // namespace shim::protocol
