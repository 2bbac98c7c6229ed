#include "shim/service/choose_runtime.hpp"

#include "shim/service/library_runtime.hpp"

namespace shim::service {

base::Result<std::shared_ptr<const Runtime>> choose_runtime(const protocol::RuncOptions& options,
                                                            const std::string& name_space) {
  if (!options.binary_name.empty()) {
    return base::fail(base::ErrorKind::Unsupported, "option BinaryName: not supported");
  }
  if (options.systemd_cgroup) {
    return base::fail(base::ErrorKind::Unsupported, "option SystemdCgroup: not supported");
  }
  return std::make_shared<LibraryRuntime>(options, name_space);
}

}  // namespace shim::service
