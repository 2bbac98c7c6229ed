#include "engine/cache/names_in.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <memory>
#include <string_view>

#include "base/file.hpp"

namespace engine::cache {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

base::Result<std::vector<std::string>> names_in(int directory, const std::string& subject) {
  base::UniqueFd readable = TRY(base::open_at(directory, ".", O_RDONLY | O_DIRECTORY));
  const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(readable.get()));
  if (!stream) return base::fail_errno("fdopendir", subject);
  static_cast<void>(readable.release());  // owned by `stream` now
  std::vector<std::string> out;
  while (const dirent* item = ::readdir(stream.get())) {
    const std::string_view name(item->d_name);
    if (name != "." && name != "..") out.emplace_back(name);
  }
  return out;
}

}  // namespace engine::cache
