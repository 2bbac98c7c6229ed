// wherry kill
#include "runtime/cli/commands.hpp"
#include "runtime/cli/container_options.hpp"

namespace runtime::cli {
namespace {

constexpr Option kOptions[] = {
    {"all", 'a', OptionKind::Flag, {}, "signal every process of the container, not only the first"},
};

base::Result<int> run(const Invocation& invocation) {
  const std::vector<std::string>& words = invocation.arguments.positional();
  const int signal = TRY(container::parse_signal(words.size() > 1 ? words[1] : "SIGTERM"));
  TRY(container::kill(make_host(invocation), words[0], signal, invocation.arguments.flag("all")));
  return 0;
}

}  // namespace

constinit const Command kKill{
    .name = "kill",
    .synopsis = "<container-id> [signal]",
    .summary = "send a signal to a container",
    .description =
        "The signal is a name or a number: KILL, SIGKILL and 9 are the same. Without one it\n"
        "is SIGTERM.",
    .options = kOptions,
    .least_arguments = 1,
    .most_arguments = 2,
    .reading = Reading::StopAtPositional,
    .run = run,
};

}  // namespace runtime::cli
