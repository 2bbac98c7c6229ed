#include "engine/wasi/call.hpp"

#include <climits>

#include "base/result.hpp"

namespace engine::wasi {

Result<std::string> Call::path(Address at, std::uint32_t size) const {
  if (size >= PATH_MAX) return fail(Errno::NameTooLong);
  const std::span<std::byte> from = TRY(bytes(at, size));
  std::string path(size, '\0');
  copy_in(path.data(), from.data(), size);
  if (path.find('\0') != std::string::npos) return fail(Errno::Inval);
  return path;
}

}  // namespace engine::wasi
