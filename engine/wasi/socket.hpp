// What the functions on sockets share.
#pragma once

#include <sys/socket.h>

#include "engine/wasi/call.hpp"
#include "engine/wasi/functions.hpp"
#include "engine/wasi/guest_address.hpp"
#include "engine/wasi/guest_iovecs.hpp"

namespace engine::wasi {

/// NotSock before the rights are looked at.
Result<DescriptorRef> get_socket(const Call& call, Fd fd, Rights needed);

/// A new socket of a known type: without the system calls by which describe() finds it out.
DescriptorRef socket_descriptor(base::UniqueFd fd, Filetype type);

/// What recvmsg(2) and sendmsg(2) take, but for the address. It points into `buffers`.
msghdr message_of(GuestIovecs& buffers);

/// witx type $riflags; Inval for bits that mean nothing.
Result<int> host_receive_flags(std::uint32_t flags);
/// witx type $roflags.
std::uint16_t guest_receive_flags(int flags);

/// Acces unless the guest's policy allows it.
Result<void> check_policy(const Call& call, SocketUse use, const Descriptor& socket,
                          const SocketAddress& address);

/// The name of a socket's own end, as the guest knows it.
Result<SocketAddress> local_address(const Call& call, const DescriptorRef& socket);

}  // namespace engine::wasi
