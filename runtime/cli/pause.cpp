// wherry pause, wherry resume
#include "runtime/cli/commands.hpp"
#include "runtime/cli/container_options.hpp"

namespace runtime::cli {
namespace {

base::Result<int> pause(const Invocation& invocation) {
  TRY(container::pause(make_host(invocation), invocation.arguments.positional().front()));
  return 0;
}

base::Result<int> resume(const Invocation& invocation) {
  TRY(container::resume(make_host(invocation), invocation.arguments.positional().front()));
  return 0;
}

}  // namespace

constinit const Command kPause{
    .name = "pause",
    .synopsis = "<container-id>",
    .summary = "stop all processes of a container for a while",
    .description =
        "Freezes the cgroup of the container. Its processes keep their memory and files and\n"
        "do nothing until resume.",
    .least_arguments = 1,
    .most_arguments = 1,
    .run = pause,
};

constinit const Command kResume{
    .name = "resume",
    .synopsis = "<container-id>",
    .summary = "let a paused container go on",
    .description = "Thaws the cgroup that pause froze.",
    .least_arguments = 1,
    .most_arguments = 1,
    .run = resume,
};

}  // namespace runtime::cli
