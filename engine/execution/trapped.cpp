// Text of a backtrace.
#include "engine/execution/trapped.hpp"

#include <array>
#include <charconv>

namespace engine::execution {

std::string Trapped::backtrace() const {
  if (frames.empty()) return {};
  std::string out = "wasm backtrace:\n";
  for (std::size_t k = 0; k < frames.size(); ++k) {
    out += "  " + std::to_string(k) + ": ";
    if (frames[k].module_offset != 0xffffffff) {
      std::array<char, 8> digits{};
      const auto end =
          std::to_chars(digits.data(), digits.data() + digits.size(), frames[k].module_offset, 16);
      out += "0x" + std::string(digits.data(), end.ptr) + " ";
    }
    out += frames[k].name + "\n";
  }
  if (more_frames) out += "  ...\n";
  return out;
}

}  // namespace engine::execution
