// Which sockets a guest may use: the rules of the annotation dev.wherry/sockets
// (docs/formats/annotations.md). What they allow is still subject to the kernel: namespaces,
// capabilities, seccomp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "engine/wasi/socket_address.hpp"

namespace engine::wasi {

enum class SocketUse : std::uint8_t { Connect, Bind, Resolve };
enum class SocketKind : std::uint8_t { Tcp, Udp, Unix };

/// What a rule leaves open matches everything.
struct SocketRule {
  struct Network {
    int family = AF_INET;
    std::array<std::uint8_t, 16> address{};
    unsigned prefix = 0;
  };
  struct Ports {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
  };

  bool allow = false;
  std::optional<SocketUse> use;
  std::optional<SocketKind> kind;
  std::optional<Network> network;
  std::optional<Ports> ports;
};

class SocketPolicy {
 public:
  static constexpr std::size_t kMaxText = 4096;
  static constexpr std::size_t kMaxRules = 256;

  /// Nothing at all; also what an object that nobody parsed does.
  SocketPolicy() = default;
  /// "none", or rules; the empty text allows everything. Invalid with the rule that is none.
  static base::Result<SocketPolicy> parse(std::string_view text);

  /// Is there anything that a new socket could be used for?
  bool allows_sockets() const { return !nothing_; }
  bool allows_resolving() const;
  /// Sending to an address is Connect. IPv4 in IPv6's clothes (::ffff:10.0.0.1) is IPv4, and the
  /// unspecified address, to which Linux connects as to itself, is the loopback one.
  bool allows(SocketUse use, SocketKind kind, const SocketAddress& address) const;

 private:
  bool nothing_ = true;
  std::vector<SocketRule> rules_;  ///< the first that matches decides
};

}  // namespace engine::wasi
