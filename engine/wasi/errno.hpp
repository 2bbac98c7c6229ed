// The error numbers that WASI functions return, and how they come from Linux's.
#pragma once

#include <cerrno>
#include <cstdint>
#include <expected>

namespace engine::wasi {

enum class Errno : std::uint16_t {
  Success = 0,
#define WASI_ERRNO(name, number, host) name = number,
#include "engine/wasi/errno.def"
#undef WASI_ERRNO
  NotCapable = 76,
  // Those of getaddrinfo(3), as the socket extension has them.
  AiAgain = 78,
  AiBadFlag = 79,
  AiFail = 80,
  AiFamily = 81,
  AiMemory = 82,
  AiNoData = 83,
  AiNoName = 84,
  AiService = 85,
  AiSockType = 86,
};

/// What a WASI function yields: the guest sees Success or the error.
template <typename T>
using Result = std::expected<T, Errno>;

/// Io for an errno that WASI has no word for.
Errno errno_from_host(int host_errno);

inline std::unexpected<Errno> fail(Errno error) { return std::unexpected(error); }
/// Reads errno at once: call it before anything else.
inline std::unexpected<Errno> fail_from_host() { return fail(errno_from_host(errno)); }

}  // namespace engine::wasi
