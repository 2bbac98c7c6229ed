#include "runtime/process/mount_source.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "base/file.hpp"
#include "runtime/namespaces/id_maps.hpp"
#include "runtime/process/child.hpp"
#include "runtime/rootfs/mount_calls.hpp"

namespace runtime::process {
namespace {

/// By which user namespace the mount is mapped: one with its own mappings, or the container's
/// (runtime-spec config.md, "idmap"). Empty: by none.
base::Result<base::UniqueFd> open_mapping(int procfs, pid_t pid,
                                          const rootfs::PlannedMount& mount) {
  if (!mount.uid_mappings.empty()) {
    return namespaces::make_mapped_namespace(procfs, mount.uid_mappings, mount.gid_mappings);
  }
  if (!mount.options.is_idmap) return base::UniqueFd();
  return base::open_at(procfs, std::to_string(pid) + "/ns/user", O_RDONLY);
}

base::Result<base::UniqueFd> open_source(int procfs, pid_t pid, const rootfs::PlannedMount& mount) {
  const base::UniqueFd mapping =
      TRY(base::with_context(open_mapping(procfs, pid, mount), "idmap " + mount.source));
  const base::UniqueFd space =
      TRY(base::open_at(procfs, std::to_string(pid) + "/ns/mnt", O_RDONLY));
  if (::setns(space.get(), CLONE_NEWNS) != 0) return base::fail_errno("setns", "mount namespace");
  base::UniqueFd source =
      TRY(rootfs::clone_mount(AT_FDCWD, mount.source, mount.options.is_recursive_bind));
  if (mapping) {
    TRY(rootfs::set_idmap(source.get(), mapping.get(), mount.options.is_recursive_idmap,
                          mount.source));
  }
  return source;
}

[[noreturn]] void send_source(const Channel& channel, int procfs, pid_t pid,
                              const rootfs::PlannedMount& mount) {
  const base::Result<base::UniqueFd> source = open_source(procfs, pid, mount);
  const base::Result<void> sent =
      source ? channel.send(MessageType::Source, {}, source->get())
             : channel.send(MessageType::Error, encode_error(source.error()));
  ::_exit(sent ? 0 : 1);
}

}  // namespace

base::Result<base::UniqueFd> ask_for_source(const Channel& channel, std::uint32_t index) {
  // Safety: plain bytes of a number.
  TRY(channel.send(MessageType::Source, {reinterpret_cast<const char*>(&index), sizeof(index)}));
  Message message = TRY(channel.expect(MessageType::Source));
  return std::move(message.descriptor);
}

base::Result<void> answer_with_source(const Channel& channel, const Plan& plan, pid_t pid,
                                      std::string_view request) {
  std::uint32_t index = 0;
  if (request.size() != sizeof(index)) {
    return base::fail(base::ErrorKind::Internal, "source without a number");
  }
  std::memcpy(&index, request.data(), sizeof(index));
  if (!plan.creation || index >= plan.creation->rootfs.mounts.size()) {
    return base::fail(base::ErrorKind::Internal, "source of a mount that is not planned");
  }
  const rootfs::PlannedMount& mount = plan.creation->rootfs.mounts[index];
  auto [ours, theirs] = TRY(Channel::make());
  const long helper = clone_process(0, -1, nullptr);
  if (helper < 0) return base::fail_errno("clone3", "opener of mount sources");
  if (helper == 0) send_source(theirs, plan.procfs.get(), pid, mount);
  theirs.close();
  base::Result<Message> answer =
      base::with_context(ours.expect(MessageType::Source), "mount source " + mount.source);
  while (::waitpid(static_cast<pid_t>(helper), nullptr, 0) < 0 && errno == EINTR) {
  }
  if (!answer) return std::unexpected(std::move(answer).error());
  return channel.send(MessageType::Source, {}, answer->descriptor.get());
}

}  // namespace runtime::process
