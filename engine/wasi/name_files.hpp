// What text files say of names: hosts(5), services(5), and a part of resolv.conf(5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/wasi/ip_address.hpp"

namespace engine::wasi {

/// The host that a name stands for.
struct ResolvedHost {
  std::vector<IpAddress> addresses;
  std::string canonical;
};

/// An address in numbers, of the family or, with AF_UNSPEC, of either.
std::optional<IpAddress> parse_ip(const std::string& text, int family);

/// All addresses that lines with the name give; no addresses when there is none. Names have no
/// case.
ResolvedHost find_in_hosts(std::string_view file, std::string_view name, int family);

/// `protocol`: "tcp" or "udp", or empty for either.
std::optional<std::uint16_t> find_in_services(std::string_view file, std::string_view name,
                                              std::string_view protocol);

/// How long a server is waited for, and how often all are asked.
struct ResolverPatience {
  int timeout_seconds = 5;
  int attempts = 2;
};

/// The options timeout and attempts of resolv.conf, within the limits of resolv.conf(5).
ResolverPatience parse_patience(std::string_view file);

}  // namespace engine::wasi
