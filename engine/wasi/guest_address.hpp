// Addresses of the socket extension, from guest memory and back. They come in two forms: the four
// or sixteen bytes of an internet address, or an AddressStorage that names its family.
#pragma once

#include "engine/wasi/call.hpp"
#include "engine/wasi/socket_address.hpp"

namespace engine::wasi {

/// Inval for other sizes and families, for an empty path and Linux's abstract names: these belong
/// to the network namespace, so that a pod on the host's network would reach the host's daemons.
Result<SocketAddress> read_address(const Call& call, Address at, std::uint32_t port);

/// Room in the guest for an address of a family that is not known yet.
class AddressOut {
 public:
  /// Inval unless the buffer has one of the three sizes.
  static Result<AddressOut> at(const Call& call, Address at);

  /// NoMem, and nothing is written, when it is larger than the buffer.
  Result<void> set(const SocketAddress& address) const;

 private:
  explicit AddressOut(std::span<std::byte> room) : room_(room) {}
  std::span<std::byte> room_;
};

}  // namespace engine::wasi
