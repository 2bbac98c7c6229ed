#include <unistd.h>

#include <cstdlib>

#include "runtime/container/container.hpp"

namespace runtime::container {

Host make_host(state::Store store, std::function<void(std::string_view)> warn,
               process::ChooseExecutable choose_executable) {
  const std::string root = state::default_root(::geteuid(), std::getenv("XDG_RUNTIME_DIR"));
  return {std::move(store), std::move(warn), root + "-seccomp", std::move(choose_executable)};
}

}  // namespace runtime::container
