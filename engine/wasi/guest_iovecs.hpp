// A guest's scatter/gather list as the host's, pointing into guest memory: nothing is copied.
#pragma once

#include <sys/uio.h>

#include <array>
#include <climits>

#include "engine/wasi/call.hpp"

namespace engine::wasi {

/// readv(2)'s own limit; 16 KiB on the host's stack.
inline constexpr std::uint32_t kMaxIovecs = 1024;
static_assert(kMaxIovecs <= IOV_MAX);

class GuestIovecs {
 public:
  /// Inval for more than kMaxIovecs, Fault when the list or a buffer lies outside of the memory.
  Result<void> read(const Call& call, Address iovs, std::uint32_t count);

  iovec* data() { return iovecs_.data(); }
  int size() const { return static_cast<int>(count_); }

 private:
  std::array<iovec, kMaxIovecs> iovecs_;
  std::uint32_t count_ = 0;
};

}  // namespace engine::wasi
