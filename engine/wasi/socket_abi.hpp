// WasmEdge's socket extension to preview 1: the structures and numbers that its guests use
// (docs/formats/wasi-sockets.md).
#pragma once

#include <cstddef>
#include <cstdint>

namespace engine::wasi {

enum class AddressFamily : std::uint8_t { Unspecified = 0, Inet4 = 1, Inet6 = 2, Unix = 3 };

enum class SocketType : std::uint8_t { Any = 0, Datagram = 1, Stream = 2 };

enum class Protocol : std::uint8_t { Any = 0, Tcp = 1, Udp = 2 };

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

struct Addrinfo {
  std::uint16_t flags;
  std::uint8_t family;
  std::uint8_t socktype;
  std::uint8_t protocol;
  std::uint8_t padding[3];
  std::uint32_t address_length;
  std::uint32_t address;  ///< of a GuestSockaddr
  std::uint32_t canonname;
  std::uint32_t canonname_length;  ///< the room there; then what was put there, without the NUL
  std::uint32_t next;
};
static_assert(sizeof(Addrinfo) == 28 && offsetof(Addrinfo, address_length) == 8);

struct GuestSockaddr {
  std::uint8_t family;
  std::uint8_t padding[3];
  std::uint32_t size;
  std::uint32_t data;  ///< the port in network order, then as in Linux's structures
};
static_assert(sizeof(GuestSockaddr) == 12);

}  // namespace engine::wasi
