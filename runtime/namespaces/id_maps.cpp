#include "runtime/namespaces/id_maps.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.hpp"

namespace runtime::namespaces {
namespace {

using Mappings = std::vector<oci::IdMapping>;

base::Result<void> write_proc(int procfs, pid_t pid, const std::string& name,
                              std::string_view text) {
  const std::string path = std::to_string(pid) + '/' + name;
  const base::UniqueFd file = TRY(base::open_at(procfs, path, O_WRONLY));
  return base::write_all(file.get(), text, "/proc/" + path);
}

base::Result<void> run_helper(const char* program, pid_t pid, const Mappings& mappings) {
  std::vector<std::string> words{program, std::to_string(pid)};
  for (const oci::IdMapping& each : mappings) {
    words.push_back(std::to_string(each.container_id));
    words.push_back(std::to_string(each.host_id));
    words.push_back(std::to_string(each.size));
  }
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, program, nullptr, nullptr, argv.data(), environ);
  if (error != 0) {
    errno = error;
    return base::fail_errno("exec", program);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return base::fail_errno("waitpid", program);
  }
  if (status == 0) return {};
  return base::fail(base::ErrorKind::Invalid, std::string(program) + " refused the mappings");
}

bool is_own_single_id(const Mappings& mappings, std::uint32_t own) {
  return mappings.size() == 1 && mappings[0].size == 1 && mappings[0].host_id == own;
}

base::Result<void> write_map(int procfs, pid_t pid, const Mappings& mappings, const char* file,
                             const char* helper, std::uint32_t own) {
  if (mappings.empty()) return {};
  if (::geteuid() != 0 && !is_own_single_id(mappings, own)) {
    return run_helper(helper, pid, mappings);
  }
  return write_proc(procfs, pid, file, map_text(mappings));
}

}  // namespace

std::string map_text(const Mappings& mappings) {
  std::string out;
  for (const oci::IdMapping& each : mappings) {
    out += std::to_string(each.container_id) + ' ' + std::to_string(each.host_id) + ' ' +
           std::to_string(each.size) + '\n';
  }
  return out;
}

base::Result<void> write_id_maps(int procfs, pid_t pid, const oci::Linux& section) {
  TRY(write_map(procfs, pid, section.uid_mappings, "uid_map", "newuidmap", ::geteuid()));
  if (::geteuid() != 0 && is_own_single_id(section.gid_mappings, ::getegid())) {
    // Without privilege a group map is accepted only after this.
    TRY(write_proc(procfs, pid, "setgroups", "deny"));
  }
  return write_map(procfs, pid, section.gid_mappings, "gid_map", "newgidmap", ::getegid());
}

base::Result<base::UniqueFd> make_mapped_namespace(int procfs, const Mappings& uids,
                                                   const Mappings& gids) {
  clone_args arguments{};
  arguments.flags = CLONE_NEWUSER;
  arguments.exit_signal = SIGCHLD;
  // Safety: like fork(2); the child makes system calls only.
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof(arguments));
  if (pid < 0) return base::fail_errno("clone3", "user namespace");
  if (pid == 0) {
    while (true) ::pause();
  }
  const auto child = static_cast<pid_t>(pid);
  base::Result<base::UniqueFd> out = [&]() -> base::Result<base::UniqueFd> {
    TRY(write_proc(procfs, child, "uid_map", map_text(uids)));
    TRY(write_proc(procfs, child, "gid_map", map_text(gids)));
    return base::open_at(procfs, std::to_string(child) + "/ns/user", O_RDONLY);
  }();
  ::kill(child, SIGKILL);
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return out;
}

}  // namespace runtime::namespaces
