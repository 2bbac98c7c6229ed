// wherry features: the features document of the runtime specification.
#include "runtime/container/features.hpp"

#include "runtime/cli/commands.hpp"

namespace runtime::cli {
namespace {

base::Result<int> run(const Invocation&) {
  print(oci::to_json(container::supported_features(), "  ") + '\n');
  return 0;
}

}  // namespace

constinit const Command kFeatures{
    .name = "features",
    .synopsis = "",
    .summary = "print what this runtime supports",
    .description = "Prints the features document of the runtime specification.",
    .run = run,
};

}  // namespace runtime::cli
