#include "engine/wasi/guest_iovecs.hpp"

#include "base/result.hpp"

namespace engine::wasi {

Result<void> GuestIovecs::read(const Call& call, Address iovs, std::uint32_t count) {
  if (count > kMaxIovecs) return fail(Errno::Inval);
  TRY(call.bytes(iovs, std::uint64_t{count} * sizeof(Iovec)));
  for (std::uint32_t i = 0; i < count; ++i) {
    const Iovec guest = TRY(call.read<Iovec>(iovs + i * static_cast<Address>(sizeof(Iovec))));
    const std::span<std::byte> buffer = TRY(call.bytes(guest.buffer, guest.length));
    iovecs_[i] = {.iov_base = buffer.data(), .iov_len = buffer.size()};
  }
  count_ = count;
  return {};
}

}  // namespace engine::wasi
