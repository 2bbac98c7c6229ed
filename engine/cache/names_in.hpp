// The names in one of the cache's directories.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace engine::cache {

/// In no order, without "." and "..". `subject` is for errors.
base::Result<std::vector<std::string>> names_in(int directory, const std::string& subject);

}  // namespace engine::cache
