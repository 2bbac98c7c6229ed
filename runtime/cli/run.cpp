// wherry run
#include "runtime/cli/commands.hpp"
#include "runtime/cli/container_options.hpp"

namespace runtime::cli {
namespace {

constexpr Option kOptions[] = {
    kBundle,
    kConsoleSocket,
    kPidfdSocket,
    kPidFile,
    kNoPivot,
    kNoNewKeyring,
    kPreserveFds,
    {"detach", 'd', OptionKind::Flag, {}, "do not wait for the end of the program"},
    {"keep", 0, OptionKind::Flag, {}, "do not delete the container at its end"},
    {"no-subreaper", 0, OptionKind::Flag, {}, "do not adopt orphans of the container"},
};

base::Result<int> run(const Invocation& invocation) {
  container::RunOptions options;
  options.create = TRY(create_options(invocation.arguments));
  options.detach = invocation.arguments.flag("detach");
  options.keep = invocation.arguments.flag("keep");
  options.no_subreaper = invocation.arguments.flag("no-subreaper");
  return container::run(make_host(invocation), options);
}

}  // namespace

constinit const Command kRun{
    .name = "run",
    .synopsis = "<container-id>",
    .summary = "create, start, wait and delete in one step",
    .description =
        "Exits with the status of the program, or with 128 + n if signal n ended it. Signals\n"
        "go to the program, and so does the terminal if config.json asks for one.",
    .options = kOptions,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
    .enters_containers = true,
};

}  // namespace runtime::cli
