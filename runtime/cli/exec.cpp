// wherry exec
#include <charconv>

#include "base/file.hpp"
#include "oci/parse.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/container_options.hpp"

namespace runtime::cli {
namespace {

constexpr Option kOptions[] = {
    kConsoleSocket,
    kPidfdSocket,
    kPidFile,
    kPreserveFds,
    {"process", 'p', OptionKind::Value, "FILE", "read the whole process (process.json) from FILE"},
    {"detach", 'd', OptionKind::Flag, {}, "do not wait for the end of the program"},
    {"tty", 't', OptionKind::Flag, {}, "give it a terminal"},
    {"cwd", 0, OptionKind::Value, "DIR", "its working directory"},
    {"env", 'e', OptionKind::List, "NAME=VALUE", "a variable more (may be repeated)"},
    {"user", 'u', OptionKind::Value, "UID[:GID]", "who runs it"},
    {"additional-gids", 'g', OptionKind::List, "GID", "a group more (may be repeated)"},
    {"cap", 'c', OptionKind::List, "CAP", "a capability more (may be repeated)"},
    {"no-new-privs", 0, OptionKind::Flag, {}, "set no_new_privs"},
    {"apparmor", 0, OptionKind::Value, "PROFILE", "its AppArmor profile"},
    {"process-label", 0, OptionKind::Value, "LABEL", "its SELinux label"},
    {"cgroup", 0, OptionKind::List, "[NAME:]PATH",
     "a cgroup below the container's (may be repeated)"},
    {"ignore-paused", 0, OptionKind::Flag, {}, "do not refuse a paused container"},
};

base::Result<std::vector<std::uint32_t>> read_gids(const Arguments& arguments) {
  std::vector<std::uint32_t> out;
  for (const std::string& text : arguments.list("additional-gids")) {
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, out.emplace_back());
    if (error != std::errc{} || rest != end) {
      return base::fail(base::ErrorKind::Invalid, "invalid additional gid: " + text);
    }
  }
  return out;
}

base::Result<container::ExecOptions> exec_options(const Arguments& arguments) {
  container::ExecOptions out;
  out.id = arguments.positional().front();
  out.args.assign(arguments.positional().begin() + 1, arguments.positional().end());
  if (const auto path = arguments.value("process")) {
    const std::string text = TRY(base::read_file(*path, oci::kMaxConfigBytes));
    out.process = TRY(base::with_context(oci::parse_process(text), *path));
  } else if (out.args.empty()) {
    return base::fail(base::ErrorKind::Invalid, "exec args cannot be empty");
  }
  out.cwd = arguments.value("cwd").value_or("");
  out.env = arguments.list("env");
  out.user = arguments.value("user").value_or("");
  out.additional_gids = TRY(read_gids(arguments));
  out.capabilities = arguments.list("cap");
  out.apparmor = arguments.value("apparmor").value_or("");
  out.process_label = arguments.value("process-label").value_or("");
  if (arguments.value("tty")) out.tty = arguments.flag("tty");
  if (arguments.value("no-new-privs")) out.no_new_privileges = arguments.flag("no-new-privs");
  out.cgroups = arguments.list("cgroup");
  out.ignore_paused = arguments.flag("ignore-paused");
  out.detach = arguments.flag("detach");
  out.pid_file = arguments.value("pid-file").value_or("");
  out.console_socket = arguments.value("console-socket").value_or("");
  out.pidfd_socket = arguments.value("pidfd-socket").value_or("");
  out.preserve_fds = TRY(preserve_fds(arguments));
  return out;
}

base::Result<int> run(const Invocation& invocation) {
  const container::ExecOptions options = TRY(exec_options(invocation.arguments));
  return container::exec(make_host(invocation), options);
}

}  // namespace

constinit const Command kExec{
    .name = "exec",
    .synopsis = "<container-id> [program [arguments]]",
    .summary = "run a further program in a container",
    .description =
        "The program gets the container's namespaces, cgroups, root and, unless options or\n"
        "--process say otherwise, the user, environment and rights of its first process.\n"
        "Exits with the program's status, or with 255 if it could not be run.",
    .options = kOptions,
    .least_arguments = 1,
    .most_arguments = kAnyNumber,
    .reading = Reading::StopAtPositional,
    .run = run,
    .failure_status = 255,
    .enters_containers = true,
};

}  // namespace runtime::cli
