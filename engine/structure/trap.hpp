// A trap is not an error: it is how a guest's own computation ends early (core spec 4.2.1).
#pragma once

#include <cstdint>
#include <string_view>

namespace engine {

enum class Trap : std::uint8_t {
  None = 0,
#define TRAP(name, code, text) name = code,
#include "engine/structure/trap.def"
#undef TRAP
};

/// The specification's text; "unknown trap" for a code outside the table.
constexpr std::string_view trap_text(Trap trap) {
  switch (trap) {
#define TRAP(name, code, text) \
  case Trap::name:             \
    return text;
#include "engine/structure/trap.def"
#undef TRAP
    case Trap::None:
      break;
  }
  return "unknown trap";
}

}  // namespace engine
