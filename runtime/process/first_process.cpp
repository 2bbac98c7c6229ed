#include "runtime/process/first_process.hpp"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.hpp"
#include "runtime/hooks/hooks.hpp"
#include "runtime/namespaces/network.hpp"
#include "runtime/namespaces/sysctl.hpp"
#include "runtime/process/mount_source.hpp"
#include "runtime/process/terminal.hpp"
#include "runtime/rootfs/enter.hpp"
#include "runtime/security/labels.hpp"

namespace runtime::process {
namespace {

base::Result<void> join_keyring(const Plan& plan, const std::string& name) {
  if (name.empty()) return {};
  TRY(security::apply_selinux_key_label(plan.procfs.get(), plan.process.selinux_label));
  // Safety: no wrapper in glibc; a name and no memory of ours is written.
  const long ring = ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name.c_str());
  TRY(security::apply_selinux_key_label(plan.procfs.get(), ""));
  // A kernel without keys, or an outer filter that hides them.
  if (ring < 0 && errno != ENOSYS && errno != EPERM) return base::fail_errno("keyctl", name);
  return {};
}

base::Result<void> set_names(const oci::Spec& spec) {
  if (!spec.hostname.empty() && ::sethostname(spec.hostname.c_str(), spec.hostname.size()) != 0) {
    return base::fail_errno("sethostname", spec.hostname);
  }
  if (!spec.domainname.empty() &&
      ::setdomainname(spec.domainname.c_str(), spec.domainname.size()) != 0) {
    return base::fail_errno("setdomainname", spec.domainname);
  }
  return {};
}

/// With the container's root as working directory, as hooks written for runc expect.
base::Result<void> run_hooks_inside(const Creation& creation, const oci::Hooks& hooks,
                                    const rootfs::Root& root) {
  if (hooks.create_container.empty()) return {};
  if (::fchdir(root.fd()) != 0) return base::fail_errno("fchdir", creation.rootfs.root);
  oci::State state = creation.state;
  state.pid = ::getpid();
  return hooks::run("createContainer", hooks.create_container, oci::to_json(state));
}

base::Result<void> open_console(const Plan& plan, const rootfs::Root& root,
                                const Channel& channel) {
  if (!plan.process.terminal) return {};
  const base::UniqueFd master = TRY(
      base::with_context(open_terminal(root, plan.process.console_size, true), "set up console"));
  return channel.ask(MessageType::Terminal, master.get());
}

// The program's directory may be missing in the image; it is made while the root can be written.
base::Result<void> make_working_directory(const Plan& plan) {
  const rootfs::Root root(TRY(base::open_file("/", O_PATH | O_DIRECTORY)));
  const base::Result<base::UniqueFd> made =
      root.make_directories(rootfs::clean_path(plan.process.cwd));
  static_cast<void>(made);  // chdir will say what is wrong with it
  return {};
}

base::Result<void> enter_root(Plan& plan, const Channel& channel) {
  Creation& creation = *plan.creation;
  const oci::Hooks& hooks = plan.spec->hooks;
  const bool has_host_hooks = !hooks.prestart.empty() || !hooks.create_runtime.empty();
  if (!creation.namespaces.is_new(CLONE_NEWNS)) {
    // Mounts belong to whoever made the namespace; only the root is the container's own.
    const rootfs::Root root(TRY(base::open_file(creation.rootfs.root, O_PATH | O_DIRECTORY)));
    if (has_host_hooks) TRY(channel.ask(MessageType::Hooks));
    TRY(open_console(plan, root, channel));
    TRY(run_hooks_inside(creation, hooks, root));
    if (::fchdir(root.fd()) != 0) return base::fail_errno("fchdir", creation.rootfs.root);
    if (::chroot(".") != 0) return base::fail_errno("chroot", creation.rootfs.root);
    return {};
  }
  const rootfs::SourceOpener ask = [&channel](std::size_t index) {
    return ask_for_source(channel, static_cast<std::uint32_t>(index));
  };
  const rootfs::Root root =
      TRY(base::with_context(rootfs::prepare(creation.rootfs, ask), "error during container init"));
  if (has_host_hooks) TRY(channel.ask(MessageType::Hooks));
  TRY(open_console(plan, root, channel));
  TRY(run_hooks_inside(creation, hooks, root));
  TRY(base::with_context(rootfs::enter(creation.rootfs, root), "enter rootfs"));
  return {};
}

}  // namespace

base::Result<void> build_container(Plan& plan, const Channel& channel) {
  const Creation& creation = *plan.creation;
  TRY(join_keyring(plan, creation.keyring));
  if (creation.namespaces.is_new(CLONE_NEWNET)) TRY(namespaces::raise_loopback());
  TRY(namespaces::set_up_net_devices(creation.net_devices));
  TRY(enter_root(plan, channel));
  TRY(set_names(*plan.spec));
  TRY(namespaces::write_sysctls(plan.procfs.get(), plan.spec->linux.sysctl));
  TRY(make_working_directory(plan));
  if (creation.namespaces.is_new(CLONE_NEWNS)) {
    TRY(base::with_context(rootfs::cover(creation.rootfs), "cover rootfs"));
  }
  return {};
}

}  // namespace runtime::process
