// wherry start
#include "runtime/cli/commands.hpp"
#include "runtime/cli/container_options.hpp"

namespace runtime::cli {
namespace {

base::Result<int> run(const Invocation& invocation) {
  TRY(container::start(make_host(invocation), invocation.arguments.positional().front()));
  return 0;
}

}  // namespace

constinit const Command kStart{
    .name = "start",
    .synopsis = "<container-id>",
    .summary = "let a created container run its program",
    .description =
        "Returns once the program has begun. The status of the program goes to whoever\n"
        "inherits it: the caller of create, or its subreaper.",
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
};

}  // namespace runtime::cli
