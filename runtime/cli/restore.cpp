// wherry restore
#include "runtime/cli/commands.hpp"
#include "runtime/cli/container_options.hpp"
#include "runtime/cli/criu_options.hpp"

namespace runtime::cli {
namespace {

constexpr Option kOptions[] = {
    kBundle,
    kConsoleSocket,
    kPidFile,
    kNoPivot,
    kImagePath,
    kWorkPath,
    kTcpEstablished,
    kExtUnixSk,
    kShellJob,
    kFileLocks,
    kManageCgroupsMode,
    {"detach", 'd', OptionKind::Flag, {}, "do not wait for the end of the program"},
    {"no-subreaper", 0, OptionKind::Flag, {}, "do not adopt orphans of the container"},
    kEmptyNs,
    kAutoDedup,
    kLazyPages,
    {"lsm-profile", 0, OptionKind::Value, "TYPE:NAME", "run under this profile or label"},
    {"lsm-mount-context", 0, OptionKind::Value, "CONTEXT", "mount with this SELinux context"},
};

base::Result<int> run(const Invocation& invocation) {
  const Arguments& arguments = invocation.arguments;
  container::RestoreOptions options;
  options.create.id = arguments.positional().front();
  options.create.bundle = TRY(absolute_path(arguments.value("bundle").value_or(".")));
  options.create.pid_file = arguments.value("pid-file").value_or("");
  options.create.console_socket = arguments.value("console-socket").value_or("");
  options.criu = TRY(criu_options(invocation));
  options.criu.lsm_profile = arguments.value("lsm-profile").value_or("");
  options.criu.lsm_mount_context = arguments.value("lsm-mount-context").value_or("");
  options.detach = arguments.flag("detach");
  options.no_subreaper = arguments.flag("no-subreaper");
  return TRY(container::restore(make_host(invocation), options)).status;
}

}  // namespace

constinit const Command kRestore{
    .name = "restore",
    .synopsis = "<container-id>",
    .summary = "continue a container that checkpoint saved",
    .description =
        "Makes a container of the bundle whose processes come from the images. Standard\n"
        "input, output and error take the place of those that it was created with. Otherwise\n"
        "as run: in the foreground it exits with the status of the program.",
    .options = kOptions,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
    .enters_containers = true,
};

}  // namespace runtime::cli
