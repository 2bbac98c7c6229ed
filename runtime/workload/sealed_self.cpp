// The second start from a sealed descriptor.
#include "runtime/workload/sealed_self.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <vector>

#include "runtime/rootfs/sealed_program.hpp"
#include "runtime/workload/programs.hpp"

namespace runtime::workload {
namespace {

// The end of argv[0] of the second start: there is no third.
constexpr std::string_view kSealed = ": sealed";

base::Result<std::string> own_path() {
  std::array<char, PATH_MAX> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (length < 0) return base::fail_errno("readlink", "/proc/self/exe");
  return std::string(path.data(), static_cast<std::size_t>(length));
}

}  // namespace

base::Result<void> seal_self(std::span<const std::string> words) {
  if (rootfs::self_is_sealed()) return {};
  if (words.front().ends_with(kSealed)) {
    return base::fail(base::ErrorKind::Internal, "the sealed executable is not sealed");
  }
  const std::string path = TRY(own_path());
  const base::UniqueFd sealed = TRY(rootfs::open_sealed(path));
  if (::setenv(kSelfVariable, path.c_str(), 1) != 0) return base::fail_errno("setenv");
  std::vector<std::string> copies(words.begin(), words.end());
  copies.front() = copies.front().substr(copies.front().rfind('/') + 1) + std::string(kSealed);
  std::vector<char*> pointers;
  for (std::string& each : copies) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  ::execveat(sealed.get(), "", pointers.data(), environ, AT_EMPTY_PATH);
  return base::fail_errno("execveat", path);
}

}  // namespace runtime::workload
