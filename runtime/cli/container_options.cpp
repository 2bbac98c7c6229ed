// Options to the structs of runtime/container.
#include "runtime/cli/container_options.hpp"

#include <charconv>
#include <cstdlib>

#include "runtime/workload/choose.hpp"

namespace runtime::cli {

base::Result<unsigned> preserve_fds(const Arguments& arguments) {
  const std::string text = arguments.value("preserve-fds").value_or("0");
  unsigned count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc{} || rest != end) {
    return base::fail(base::ErrorKind::Invalid,
                      "invalid value \"" + text + "\" for flag -preserve-fds");
  }
  return count;
}

base::Result<container::CreateOptions> create_options(const Arguments& arguments) {
  container::CreateOptions out;
  out.id = arguments.positional().front();
  out.bundle = TRY(absolute_path(arguments.value("bundle").value_or(".")));
  out.pid_file = arguments.value("pid-file").value_or("");
  out.console_socket = arguments.value("console-socket").value_or("");
  out.pidfd_socket = arguments.value("pidfd-socket").value_or("");
  out.no_pivot = arguments.flag("no-pivot");
  out.no_new_keyring = arguments.flag("no-new-keyring");
  out.preserve_fds = TRY(preserve_fds(arguments));
  return out;
}

container::Host make_host(const Invocation& invocation) {
  container::Host host = container::make_host(
      invocation.globals.store,
      [&log = invocation.log](std::string_view text) { log.warning(text); },
      workload::choose_executable);
  host.systemd_cgroup = invocation.globals.systemd_cgroup;
  if (const char* notify = std::getenv("NOTIFY_SOCKET")) host.notify_socket = notify;
  host.recorder = invocation.globals.recorder;
  host.may_lack_cgroups = invocation.globals.rootless.value_or(host.may_lack_cgroups);
  return host;
}

}  // namespace runtime::cli
