// Proposals that a host can switch off. What is off is refused by validation with a module's first
// use of it.
#pragma once

namespace engine {

struct Features {
  bool threads = true;  ///< shared memories, atomic instructions
};

}  // namespace engine
