#include "runtime/workload/programs.hpp"

#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>

namespace runtime::workload {
namespace {

base::Result<std::string> own_path() {
  if (const char* path = std::getenv(kSelfVariable); path != nullptr && *path == '/') return path;
  std::array<char, PATH_MAX> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (length < 0) return base::fail_errno("readlink", "/proc/self/exe");
  return std::string(path.data(), static_cast<std::size_t>(length));
}

}  // namespace

base::Result<std::string> program_beside(std::string_view name) {
  const std::string self = TRY(own_path());
  std::string out = self.substr(0, self.rfind('/') + 1) + std::string(name);
  if (::access(out.c_str(), X_OK) != 0) return base::fail_errno("access", out);
  return out;
}

}  // namespace runtime::workload
