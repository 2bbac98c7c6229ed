// wherry delete
#include "runtime/cli/commands.hpp"
#include "runtime/cli/container_options.hpp"

namespace runtime::cli {
namespace {

constexpr Option kOptions[] = {
    {"force", 'f', OptionKind::Flag, {}, "kill it first if it runs; a missing one is no error"},
};

base::Result<int> run(const Invocation& invocation) {
  TRY(container::remove(make_host(invocation), invocation.arguments.positional().front(),
                        invocation.arguments.flag("force")));
  return 0;
}

}  // namespace

constinit const Command kDelete{
    .name = "delete",
    .synopsis = "<container-id>",
    .summary = "remove a container",
    .description =
        "Removes cgroups and state of a container that is stopped or was never started, and\n"
        "what a create left that was killed half way.",
    .options = kOptions,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
};

}  // namespace runtime::cli
