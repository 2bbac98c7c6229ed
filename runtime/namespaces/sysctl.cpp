#include "runtime/namespaces/sysctl.hpp"

#include <fcntl.h>

#include "base/file.hpp"
#include "base/open_in_root.hpp"

namespace runtime::namespaces {

std::string sysctl_path(std::string_view key) {
  const std::size_t first = key.find_first_of("./");
  std::string path(key);
  if (first != std::string_view::npos && key[first] == '.') {
    for (char& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
  }
  return "sys/" + path;
}

base::Result<void> write_sysctls(int procfs, const std::map<std::string, std::string>& values) {
  for (const auto& [key, value] : values) {
    const std::string path = sysctl_path(key);
    const base::UniqueFd file =
        TRY(base::with_context(base::open_beneath(procfs, path, O_WRONLY), "write sysctl " + key));
    TRY(base::write_all(file.get(), value, "/proc/" + path));
  }
  return {};
}

}  // namespace runtime::namespaces
