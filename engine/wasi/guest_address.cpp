#include "engine/wasi/guest_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/result.hpp"

namespace engine::wasi {
namespace {

constexpr std::uint32_t kInet4Size = sizeof(in_addr);
constexpr std::uint32_t kInet6Size = sizeof(in6_addr);

SocketAddress inet4(const void* bytes, std::uint16_t port) {
  SocketAddress out;
  out.family = AF_INET;
  out.inet4.sin_family = AF_INET;
  out.inet4.sin_port = htons(port);
  std::memcpy(&out.inet4.sin_addr, bytes, kInet4Size);
  return out;
}

SocketAddress inet6(const void* bytes, std::uint16_t port) {
  SocketAddress out;
  out.family = AF_INET6;
  out.inet6.sin6_family = AF_INET6;
  out.inet6.sin6_port = htons(port);
  std::memcpy(&out.inet6.sin6_addr, bytes, kInet6Size);
  return out;
}

Result<SocketAddress> from_storage(const AddressStorage& storage, std::uint16_t port) {
  switch (static_cast<AddressFamily>(storage.family)) {
    case AddressFamily::Inet4:
      return inet4(storage.address, port);
    case AddressFamily::Inet6:
      return inet6(storage.address, port);
    case AddressFamily::Unix: {
      // Safety: char may alias any object.
      const auto* const text = reinterpret_cast<const char*>(storage.address);
      SocketAddress out;
      out.family = AF_UNIX;
      out.path.assign(text, ::strnlen(text, sizeof(storage.address)));
      if (out.path.empty()) return fail(Errno::Inval);
      return out;
    }
    case AddressFamily::Unspecified:
      break;
  }
  return fail(Errno::Inval);
}

AddressStorage to_storage(const SocketAddress& address) {
  AddressStorage out{};
  out.family = static_cast<std::uint16_t>(guest_family(address.family));
  if (address.family == AF_INET) std::memcpy(out.address, &address.inet4.sin_addr, kInet4Size);
  if (address.family == AF_INET6) std::memcpy(out.address, &address.inet6.sin6_addr, kInet6Size);
  std::memcpy(out.address, address.path.data(),
              std::min(address.path.size(), sizeof(out.address) - 1));
  return out;
}

}  // namespace

Result<SocketAddress> read_address(const Call& call, Address at, std::uint32_t port) {
  const auto buffer = TRY(call.read<AddressBuffer>(at));
  // As bind(2) has it, a port is 16 bits; what is above them was never looked at.
  const auto host_port = static_cast<std::uint16_t>(port);
  switch (buffer.size) {
    case kInet4Size:
      return inet4(TRY(call.read<std::array<std::byte, kInet4Size>>(buffer.buffer)).data(),
                   host_port);
    case kInet6Size:
      return inet6(TRY(call.read<std::array<std::byte, kInet6Size>>(buffer.buffer)).data(),
                   host_port);
    case kAddressStorage:
      return from_storage(TRY(call.read<AddressStorage>(buffer.buffer)), host_port);
    default:
      return fail(Errno::Inval);
  }
}

Result<AddressOut> AddressOut::at(const Call& call, Address at) {
  const auto buffer = TRY(call.read<AddressBuffer>(at));
  if (buffer.size != kInet4Size && buffer.size != kInet6Size && buffer.size != kAddressStorage) {
    return fail(Errno::Inval);
  }
  return AddressOut(TRY(call.bytes(buffer.buffer, buffer.size)));
}

Result<void> AddressOut::set(const SocketAddress& address) const {
  if (room_.size() == kAddressStorage) {
    const AddressStorage storage = to_storage(address);
    std::memcpy(room_.data(), &storage, sizeof(storage));
    return {};
  }
  if (address.family == AF_INET) {
    std::memcpy(room_.data(), &address.inet4.sin_addr, kInet4Size);
  } else if (address.family == AF_INET6 && room_.size() >= kInet6Size) {
    std::memcpy(room_.data(), &address.inet6.sin6_addr, kInet6Size);
  } else {
    return fail(Errno::NoMem);
  }
  return {};
}

}  // namespace engine::wasi
