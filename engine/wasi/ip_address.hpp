// An internet address alone, as names are resolved to.
#pragma once

#include <array>
#include <cstdint>

namespace engine::wasi {

struct IpAddress {
  int family = 0;                        ///< AF_INET or AF_INET6
  std::array<std::uint8_t, 16> bytes{};  ///< the first four of IPv4
  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

}  // namespace engine::wasi
