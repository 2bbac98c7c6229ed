// WasmEdge's socket extension to preview 1: the structures and numbers that its guests use
// (docs/formats/wasi-sockets.md).
#pragma once

#include <cstddef>
#include <cstdint>

namespace engine::wasi {

enum class AddressFamily : std::uint8_t { Unspecified = 0, Inet4 = 1, Inet6 = 2, Unix = 3 };

enum class SocketType : std::uint8_t { Any = 0, Datagram = 1, Stream = 2 };

enum class Protocol : std::uint32_t { Any = 0, Tcp = 1, Udp = 2 };

/// Where an address lies, and of which size its buffer is: that of the address itself, or
/// kAddressStorage.
struct AddressBuffer {
  std::uint32_t buffer;
  std::uint32_t size;
};
static_assert(sizeof(AddressBuffer) == 8);

/// An address of any family; that of a unix socket is a path with a NUL at its end.
struct AddressStorage {
  std::uint16_t family;
  std::uint8_t address[126];
};
inline constexpr std::uint32_t kAddressStorage = sizeof(AddressStorage);
static_assert(kAddressStorage == 128);

}  // namespace engine::wasi
