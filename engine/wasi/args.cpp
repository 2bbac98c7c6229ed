// args_* and environ_*: two lists of NUL-terminated strings.
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engine/wasi/functions.hpp"

namespace engine::wasi {
namespace {

// Fits 32 bits: make_context limits the lists.
Size bytes_of(const std::vector<std::string>& strings) {
  std::size_t total = 0;
  for (const std::string& string : strings) total += string.size() + 1;
  return static_cast<Size>(total);
}

Result<void> put_sizes(const Call& call, const std::vector<std::string>& strings, Address count,
                       Address size) {
  const Out<Size> count_out = TRY(call.out<Size>(count));
  const Out<Size> size_out = TRY(call.out<Size>(size));
  count_out.set(static_cast<Size>(strings.size()));
  size_out.set(bytes_of(strings));
  return {};
}

Result<void> put_strings(const Call& call, const std::vector<std::string>& strings,
                         Address pointers, Address buffer) {
  std::span<std::byte> pointer_room = TRY(call.bytes(pointers, strings.size() * sizeof(Address)));
  std::span<std::byte> room = TRY(call.bytes(buffer, bytes_of(strings)));
  Address at = buffer;
  for (const std::string& string : strings) {
    const std::size_t size = string.size() + 1;
    std::memcpy(pointer_room.data(), &at, sizeof(at));
    std::memcpy(room.data(), string.c_str(), size);
    pointer_room = pointer_room.subspan(sizeof(at));
    room = room.subspan(size);
    at += static_cast<Address>(size);
  }
  return {};
}

}  // namespace

Result<void> args_get(Call& call, Address argv, Address buffer) {
  return put_strings(call, call.context().arguments, argv, buffer);
}

Result<void> args_sizes_get(Call& call, Address count, Address buffer_size) {
  return put_sizes(call, call.context().arguments, count, buffer_size);
}

Result<void> environ_get(Call& call, Address environ, Address buffer) {
  return put_strings(call, call.context().environment, environ, buffer);
}

Result<void> environ_sizes_get(Call& call, Address count, Address buffer_size) {
  return put_sizes(call, call.context().environment, count, buffer_size);
}

}  // namespace engine::wasi
