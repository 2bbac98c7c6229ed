#include "runtime/cli/criu_options.hpp"

#include "runtime/checkpoint/plan.hpp"
#include "runtime/namespaces/user_namespace.hpp"

namespace runtime::cli {

base::Result<checkpoint::Options> criu_options(const Invocation& invocation) {
  const Arguments& arguments = invocation.arguments;
  if (!namespaces::is_host_root()) {
    invocation.log.warning("checkpoints are untested without the rights of the host's root");
  }
  checkpoint::Options out;
  out.image_path = TRY(absolute_path(arguments.value("image-path").value_or("checkpoint")));
  const std::string work = arguments.value("work-path").value_or("");
  if (!work.empty()) out.work_path = TRY(absolute_path(work));
  out.tcp_established = arguments.flag("tcp-established");
  out.external_unix_sockets = arguments.flag("ext-unix-sk");
  out.shell_job = arguments.flag("shell-job");
  out.file_locks = arguments.flag("file-locks");
  out.lazy_pages = arguments.flag("lazy-pages");
  out.auto_dedup = arguments.flag("auto-dedup");
  out.cgroup_mode =
      TRY(checkpoint::parse_cgroup_mode(arguments.value("manage-cgroups-mode").value_or("")));
  // The network's are left out in any case: it is not us who make its devices.
  for (const std::string& each : arguments.list("empty-ns")) {
    if (each == "network") continue;
    return base::fail(base::ErrorKind::Unsupported, "namespace \"" + each + "\" is not supported");
  }
  return out;
}

}  // namespace runtime::cli
