// What a container's record keeps of the systemd driver.
#pragma once

#include <cstdint>
#include <string>

namespace runtime::systemd {

/// Whose manager.
enum class Instance : std::uint8_t { System, User };

/// A unit that was made for a container and ends with it.
struct Unit {
  std::string name;
  Instance instance = Instance::System;

  bool operator==(const Unit&) const = default;
};

}  // namespace runtime::systemd
