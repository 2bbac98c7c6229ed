// Network devices of the host that a container takes over: runtime-spec 1.3.0 config-linux.md
// "Network Devices". The runtime moves them; the container's process gives them back their
// addresses, because only a process of a network namespace can ask for changes there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "oci/spec.hpp"

namespace runtime::namespaces {

/// An address that outlives the move: permanent, of global scope.
struct DeviceAddress {
  std::uint8_t family = 0;
  std::uint8_t prefix_length = 0;
  std::uint32_t flags = 0;  ///< IFA_F_*; those that only the kernel sets are left out
  struct Attribute {
    std::uint16_t type = 0;  ///< IFA_*
    std::vector<std::byte> value;
  };
  std::vector<Attribute> attributes;
};

struct MovedDevice {
  std::string host_name;
  unsigned index = 0;        ///< on the host
  std::string arrival_name;  ///< under which it comes
  std::string final_name;    ///< may be a template: "eth%d"
  std::vector<DeviceAddress> addresses;
};

/// Looks the devices up in the caller's network namespace. NotFound for a name that is not there.
base::Result<std::vector<MovedDevice>> plan_net_devices(
    const std::map<std::string, oci::NetDevice>& wanted);

/// Moves them from the caller's network namespace into that of the descriptor. AlreadyExists where
/// the name is taken there.
base::Result<void> move_net_devices(const std::vector<MovedDevice>& devices, int network_namespace);

/// In the namespace that they came to: final name, addresses, up.
base::Result<void> set_up_net_devices(const std::vector<MovedDevice>& devices);

/// Pure: the payload of one RTM_NEWADDR answer. False when it is another device's, or an address
/// that does not move.
bool parse_address(std::span<const std::byte> payload, unsigned index, DeviceAddress& out);

}  // namespace runtime::namespaces
