// random_get: the kernel's generator, straight into guest memory.
#include <sys/random.h>

#include <algorithm>

#include "base/result.hpp"
#include "engine/wasi/functions.hpp"

namespace engine::wasi {
namespace {

// A signal can end a guest between two blocks, not within one.
constexpr std::size_t kBlock = std::size_t{1} << 20;

}  // namespace

Result<void> random_get(Call& call, Address buffer, Size size) {
  std::span<std::byte> rest = TRY(call.bytes(buffer, size));
  while (!rest.empty()) {
    const ssize_t got = ::getrandom(rest.data(), std::min(rest.size(), kBlock), 0);
    if (got < 0 && errno != EINTR) return fail_from_host();
    if (got > 0) rest = rest.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

}  // namespace engine::wasi
