// wherry state
#include "runtime/cli/commands.hpp"
#include "runtime/cli/container_view.hpp"
#include "runtime/state/status.hpp"

namespace runtime::cli {
namespace {

base::Result<int> run(const Invocation& invocation) {
  const state::Record record =
      TRY(invocation.globals.store.load(invocation.arguments.positional().front()));
  oci::json::Writer writer("  ");
  write_container(writer, record, state::status_of(record));
  print(writer.take() + '\n');
  return 0;
}

}  // namespace

constinit const Command kState{
    .name = "state",
    .synopsis = "<container-id>",
    .summary = "print the state of a container",
    .description =
        "Prints one JSON object. Its status is creating, created, running, paused or\n"
        "stopped; a stopped container has the pid 0.",
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
};

}  // namespace runtime::cli
