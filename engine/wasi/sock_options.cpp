// sock_getsockopt and sock_setsockopt of WasmEdge's extension: the options of one level,
// SOL_SOCKET.
#include <array>
#include <cstring>

#include "base/result.hpp"
#include "engine/wasi/functions.hpp"
#include "engine/wasi/socket.hpp"

namespace engine::wasi {
namespace {

constexpr std::uint32_t kSocketLevel = 0;
/// Numbered as the extension has them. Their values are Linux's on wasm32 too: int, struct linger,
/// struct timeval of two 64-bit numbers, a device's name.
constexpr std::array kOptions = {SO_REUSEADDR, SO_TYPE,       SO_ERROR,       SO_DONTROUTE,
                                 SO_BROADCAST, SO_SNDBUF,     SO_RCVBUF,      SO_KEEPALIVE,
                                 SO_OOBINLINE, SO_LINGER,     SO_RCVLOWAT,    SO_RCVTIMEO,
                                 SO_SNDTIMEO,  SO_ACCEPTCONN, SO_BINDTODEVICE};
/// IFNAMSIZ and timeval alike.
constexpr std::size_t kLargest = 16;

Result<int> host_option(std::uint32_t level, std::uint32_t name) {
  if (level != kSocketLevel || name >= kOptions.size()) return fail(Errno::NoProtoOpt);
  return kOptions[name];
}

/// What the guest numbers in its own way.
void to_guest(int option, std::array<std::byte, kLargest>& value) {
  std::int32_t number = 0;
  std::memcpy(&number, value.data(), sizeof(number));
  if (option == SO_ERROR) {
    number = number == 0 ? 0 : static_cast<std::int32_t>(errno_from_host(number));
  } else if (option == SO_TYPE) {
    number =
        static_cast<std::int32_t>(number == SOCK_DGRAM ? SocketType::Datagram : SocketType::Stream);
  } else {
    return;
  }
  std::memcpy(value.data(), &number, sizeof(number));
}

}  // namespace

Result<void> sock_getsockopt(Call& call, Fd fd, std::uint32_t level, std::uint32_t name,
                             Address value, Address size_or_place) {
  const DescriptorRef socket = TRY(get_socket(call, fd, 0));
  const int option = TRY(host_option(level, name));
  // Some guests' libraries give the size itself. No compiler puts a variable into the first bytes
  // of memory, where it would be null or next to it.
  const bool is_size = size_or_place <= kLargest;
  const Size room = is_size ? size_or_place : TRY(call.read<Size>(size_or_place));
  const std::span<std::byte> to = TRY(call.bytes(value, room));
  std::array<std::byte, kLargest> host{};
  auto length = static_cast<socklen_t>(std::min<std::size_t>(room, host.size()));
  if (::getsockopt(socket->fd.get(), SOL_SOCKET, option, host.data(), &length) != 0) {
    return fail_from_host();
  }
  to_guest(option, host);
  std::memcpy(to.data(), host.data(), length);
  if (!is_size) TRY(call.out<Size>(size_or_place)).set(length);
  return {};
}

Result<void> sock_setsockopt(Call& call, Fd fd, std::uint32_t level, std::uint32_t name,
                             Address value, Size size) {
  const DescriptorRef socket = TRY(get_socket(call, fd, 0));
  const int option = TRY(host_option(level, name));
  if (size > kLargest) return fail(Errno::Inval);
  const std::span<std::byte> from = TRY(call.bytes(value, size));
  std::array<std::byte, kLargest> host{};
  copy_in(host.data(), from.data(), size);
  if (::setsockopt(socket->fd.get(), SOL_SOCKET, option, host.data(), size) != 0) {
    return fail_from_host();
  }
  return {};
}

}  // namespace engine::wasi
