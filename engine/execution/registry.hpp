// The address ranges that the signal handler may take a fault for: texts of loaded modules and
// reservations of memories. Readable from a signal handler, so without locks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"

namespace engine::execution {

enum class RangeKind : std::uint8_t { Text = 1, Memory = 2 };

/// Takes its range out of the registry at its end; moves only. Any thread.
class RegisteredRange {
 public:
  RegisteredRange() = default;
  RegisteredRange(RegisteredRange&& other) noexcept;
  RegisteredRange& operator=(RegisteredRange&& other) noexcept;
  RegisteredRange(const RegisteredRange&) = delete;
  RegisteredRange& operator=(const RegisteredRange&) = delete;
  ~RegisteredRange();

  static RegisteredRange add(RangeKind kind, std::span<const std::byte> range);

 private:
  struct Slot* slot_ = nullptr;
};

/// The registered range of that kind around the address, or an empty one. Async-signal-safe.
std::span<const std::byte> find_range(RangeKind kind, std::uintptr_t address);

}  // namespace engine::execution
