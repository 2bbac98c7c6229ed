#include "engine/wasi/unix_address.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <cstring>

#include "base/result.hpp"
#include "engine/wasi/path_resolution.hpp"

namespace engine::wasi {
namespace {

constexpr const char* kOwnDescriptors = "/proc/self/fd";

/// An image's own /proc, where nothing is mounted, could hold links that lead anywhere.
Result<void> need_procfs() {
  struct statfs filesystem{};
  if (::statfs(kOwnDescriptors, &filesystem) != 0 || filesystem.f_type != PROC_SUPER_MAGIC) {
    return fail(Errno::NotSup);
  }
  return {};
}

std::string path_of(const base::UniqueFd& file) {
  return std::string(kOwnDescriptors) + "/" + std::to_string(file.get());
}

Result<FoundPreopen> find_with(DescriptorTable& descriptors, const std::string& path,
                               Rights needed) {
  FoundPreopen found = TRY(descriptors.find_preopen(path));
  if ((found.directory->base & needed) == 0) return fail(Errno::NotCapable);
  return found;
}

}  // namespace

UnixAddress::UnixAddress(base::UniqueFd file, const std::string& path) : file_(std::move(file)) {
  address_.sun_family = AF_UNIX;
  std::memcpy(address_.sun_path, path.data(), std::min(path.size(), sizeof(address_.sun_path) - 1));
}

const sockaddr* UnixAddress::host() const {
  // Safety: bind(2)'s own idiom.
  return reinterpret_cast<const sockaddr*>(&address_);
}

Result<UnixAddress> UnixAddress::to_create(DescriptorTable& descriptors, const std::string& path) {
  TRY(need_procfs());
  const FoundPreopen found = TRY(find_with(descriptors, path, rights::kPathCreateFile));
  if (found.directory->read_only) return fail(Errno::RoFs);
  const std::size_t slash = found.rest.rfind('/');
  const std::string name = found.rest.substr(slash == std::string::npos ? 0 : slash + 1);
  if (name.empty() || name == "." || name == "..") return fail(Errno::Inval);
  const std::string parent = slash == std::string::npos ? "." : found.rest.substr(0, slash + 1);
  base::UniqueFd directory = TRY(open_path(*found.directory, parent, O_PATH | O_DIRECTORY));
  const std::string whole = path_of(directory) + "/" + name;
  if (whole.size() >= sizeof(address_.sun_path)) return fail(Errno::NameTooLong);
  return UnixAddress(std::move(directory), whole);
}

Result<UnixAddress> UnixAddress::to_reach(DescriptorTable& descriptors, const std::string& path) {
  TRY(need_procfs());
  const FoundPreopen found = TRY(find_with(descriptors, path, rights::kPathOpen));
  base::UniqueFd socket = TRY(open_path(*found.directory, found.rest, O_PATH));
  const std::string whole = path_of(socket);
  return UnixAddress(std::move(socket), whole);
}

}  // namespace engine::wasi
