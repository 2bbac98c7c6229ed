#include <cstdlib>

#include "runtime/container/container.hpp"
#include "runtime/namespaces/user_namespace.hpp"

namespace runtime::container {

Host make_host(state::Store store, std::function<void(std::string_view)> warn,
               process::ChooseExecutable choose_executable) {
  const bool is_host_root = namespaces::is_host_root();
  const std::string root = state::default_root(is_host_root, std::getenv("XDG_RUNTIME_DIR"));
  Host out{std::move(store), std::move(warn), root + "-seccomp", std::move(choose_executable)};
  out.may_lack_cgroups = !is_host_root;
  return out;
}

}  // namespace runtime::container
