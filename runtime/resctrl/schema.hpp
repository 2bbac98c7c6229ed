// Lines of the file schemata: "L3:0=7f0;1=1f", "MB:0=20;1=70" (resctrl.rst, "Schemata files").
#pragma once

#include <string_view>

namespace runtime::resctrl {

/// Whether a group whose file is `schemata` has what the line `wanted` asks for. Only the domains
/// that it names count; spaces, leading zeros and order do not.
bool is_in_force(std::string_view wanted, std::string_view schemata);

}  // namespace runtime::resctrl
