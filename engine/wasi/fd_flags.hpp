// Descriptor flags (witx type $fdflags) as open(2) flags and back.
#pragma once

#include <fcntl.h>

#include <cstdint>

#include "engine/wasi/abi.hpp"
#include "engine/wasi/errno.hpp"

namespace engine::wasi {

/// Inval for bits that mean nothing. Linux has no O_RSYNC of its own: it is O_SYNC.
inline Result<int> host_fd_flags(std::uint32_t flags) {
  if ((flags & ~fdflags::kAll) != 0) return fail(Errno::Inval);
  int out = 0;
  if ((flags & fdflags::kAppend) != 0) out |= O_APPEND;
  if ((flags & fdflags::kDsync) != 0) out |= O_DSYNC;
  if ((flags & fdflags::kNonblock) != 0) out |= O_NONBLOCK;
  if ((flags & (fdflags::kSync | fdflags::kRsync)) != 0) out |= O_SYNC;
  return out;
}

/// Of what fcntl(2) F_GETFL says.
inline std::uint16_t guest_fd_flags(int flags) {
  std::uint32_t out = 0;
  if ((flags & O_APPEND) != 0) out |= fdflags::kAppend;
  if ((flags & O_NONBLOCK) != 0) out |= fdflags::kNonblock;
  // O_SYNC includes O_DSYNC's bit.
  if ((flags & O_SYNC) == O_SYNC) {
    out |= fdflags::kSync | fdflags::kRsync;
  } else if ((flags & O_DSYNC) != 0) {
    out |= fdflags::kDsync;
  }
  return static_cast<std::uint16_t>(out);
}

}  // namespace engine::wasi
