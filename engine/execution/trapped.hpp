// How a call of the guest ended early: which trap, and where.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "engine/execution/value.hpp"
#include "engine/structure/trap.hpp"

namespace engine::execution {

struct Frame {
  std::uint32_t function = 0;
  std::string name;
  std::uint32_t module_offset = 0;  ///< 0xffffffff when unknown
};

/// Innermost frame first, of the activation that trapped; host frames are not in it.
struct Trapped {
  Trap trap = Trap::None;
  std::vector<Frame> frames;
  bool more_frames = false;  ///< further ones were left out

  /// The trap's text.
  std::string_view text() const { return trap_text(trap); }
  /// "wasm backtrace:\n  0: 0x1a2b crash\n  1: …\n", empty without frames.
  std::string backtrace() const;
};

using CallResult = std::expected<std::vector<Value>, Trapped>;

/// What the signal handler notes down: text addresses, the first that of the trapping instruction,
/// the others return addresses.
struct RawBacktrace {
  std::array<std::uintptr_t, 48> addresses{};
  std::uint32_t count = 0;
  bool more = false;
};

}  // namespace engine::execution
