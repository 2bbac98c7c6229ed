// wherry create
#include "runtime/cli/commands.hpp"
#include "runtime/cli/container_options.hpp"

namespace runtime::cli {
namespace {

constexpr Option kOptions[] = {kBundle,  kConsoleSocket, kPidfdSocket, kPidFile,
                               kNoPivot, kNoNewKeyring,  kPreserveFds};

base::Result<int> run(const Invocation& invocation) {
  const container::CreateOptions options = TRY(create_options(invocation.arguments));
  static_cast<void>(TRY(container::create(make_host(invocation), options)));
  return 0;
}

}  // namespace

constinit const Command kCreate{
    .name = "create",
    .synopsis = "<container-id>",
    .summary = "make a container that waits for start",
    .description =
        "Reads config.json of the bundle and sets the container up, all but its program.\n"
        "Standard input, output and error become the program's.",
    .options = kOptions,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
    .enters_containers = true,
};

}  // namespace runtime::cli
