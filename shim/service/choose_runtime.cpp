#include "shim/service/choose_runtime.hpp"

#include <fcntl.h>

#include "base/file.hpp"
#include "runtime/workload/choose.hpp"
#include "shim/service/library_runtime.hpp"
#include "shim/service/program_runtime.hpp"
#include "shim/service/sandbox_spec.hpp"

namespace shim::service {
namespace {

/// This program once more: main() knows by the name that it shall only wait.
base::Result<runtime::process::Executable> pause_itself(const runtime::process::EntryPoint&) {
  runtime::process::Executable out;
  out.file = TRY(base::open_file("/proc/self/exe", O_RDONLY));
  out.argv = {kPauseName};
  return out;
}

}  // namespace

base::Result<std::shared_ptr<const Runtime>> choose_runtime(const protocol::RuncOptions& options,
                                                            const std::string& name_space) {
  if (!options.binary_name.empty()) return std::make_shared<ProgramRuntime>(options, name_space);
  return std::make_shared<LibraryRuntime>(options, name_space,
                                          runtime::workload::choose_executable);
}

base::Result<std::shared_ptr<const Runtime>> choose_pause_runtime(
    const protocol::RuncOptions& options, const std::string& name_space) {
  return std::make_shared<LibraryRuntime>(options, name_space, pause_itself);
}

}  // namespace shim::service
