#include "runtime/namespaces/network.hpp"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "base/unique_fd.hpp"

namespace runtime::namespaces {

base::Result<void> raise_loopback() {
  const base::UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return base::fail_errno("socket", "AF_INET");
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) {
    return base::fail_errno("ioctl(SIOCGIFFLAGS)", "lo");
  }
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) {
    return base::fail_errno("ioctl(SIOCSIFFLAGS)", "lo");
  }
  return {};
}

}  // namespace runtime::namespaces
