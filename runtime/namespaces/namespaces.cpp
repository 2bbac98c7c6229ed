#include "runtime/namespaces/namespaces.hpp"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/file.hpp"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace runtime::namespaces {
namespace {

struct Row {
  oci::NamespaceType type;
  std::uint64_t flag;
  const char* file;
};

constexpr std::array kTypes{
    Row{oci::NamespaceType::User, CLONE_NEWUSER, "user"},
    Row{oci::NamespaceType::Ipc, CLONE_NEWIPC, "ipc"},
    Row{oci::NamespaceType::Uts, CLONE_NEWUTS, "uts"},
    Row{oci::NamespaceType::Network, CLONE_NEWNET, "net"},
    Row{oci::NamespaceType::Pid, CLONE_NEWPID, "pid"},
    Row{oci::NamespaceType::Cgroup, CLONE_NEWCGROUP, "cgroup"},
    Row{oci::NamespaceType::Time, CLONE_NEWTIME, "time"},
    // Last: with it the root directory changes.
    Row{oci::NamespaceType::Mount, CLONE_NEWNS, "mnt"},
};

const Row& row_of(oci::NamespaceType type) { return *std::ranges::find(kTypes, type, &Row::type); }

std::string offsets_text(const oci::Linux& section) {
  std::string out;
  for (const auto& [clock, offset] : section.time_offsets) {
    out += clock + ' ' + std::to_string(offset.secs) + ' ' + std::to_string(offset.nanosecs) + '\n';
  }
  return out;
}

base::Result<void> enter(const OpenNamespace& entry) {
  if (::setns(entry.file.get(), static_cast<int>(entry.flag)) != 0) {
    return base::fail_errno("setns", entry.path);
  }
  return {};
}

}  // namespace

std::uint64_t clone_flag(oci::NamespaceType type) { return row_of(type).flag; }
std::string file_name(oci::NamespaceType type) { return row_of(type).file; }

bool Plan::has(std::uint64_t flag) const {
  return is_new(flag) || (flag == CLONE_NEWCGROUP && unshares_cgroup) ||
         (flag == CLONE_NEWTIME && unshares_time) ||
         std::ranges::find(joined, flag, &Join::flag) != joined.end();
}

Plan plan(const oci::Linux& section) {
  Plan out;
  for (const Row& row : kTypes) {
    const oci::Namespace* entry = section.find_namespace(row.type);
    if (entry == nullptr) continue;
    if (!entry->path.empty()) {
      out.joined.push_back({row.flag, entry->path});
      constexpr std::uint64_t kFirst = CLONE_NEWPID | CLONE_NEWTIME | CLONE_NEWUSER;
      if ((row.flag & kFirst) != 0) out.needs_intermediate = true;
    } else if (row.flag == CLONE_NEWCGROUP) {
      out.unshares_cgroup = true;
    } else if (row.flag == CLONE_NEWTIME) {
      out.unshares_time = true;
      out.needs_intermediate = true;
    } else {
      out.cloned |= row.flag;
    }
  }
  if (out.is_new(CLONE_NEWUSER) && !out.joined.empty()) out.needs_intermediate = true;
  out.time_offsets = offsets_text(section);
  return out;
}

base::Result<std::vector<OpenNamespace>> open_joined(const Plan& plan) {
  std::vector<OpenNamespace> out;
  for (const Join& join : plan.joined) {
    base::UniqueFd file = TRY(
        base::with_context(base::open_file(join.path, O_RDONLY | O_NONBLOCK), "open namespace"));
    const int type = ::ioctl(file.get(), NS_GET_NSTYPE);
    if (type < 0 || static_cast<std::uint64_t>(type) != join.flag) {
      return base::fail(base::ErrorKind::Invalid,
                        "namespace path " + join.path + " is not a namespace of the wanted type");
    }
    out.push_back({join.flag, std::move(file), join.path});
  }
  return out;
}

base::Result<void> join(const std::vector<OpenNamespace>& list) {
  const bool has_user =
      std::ranges::find(list, std::uint64_t{CLONE_NEWUSER}, &OpenNamespace::flag) != list.end();
  std::vector<const OpenNamespace*> later;
  for (const OpenNamespace& entry : list) {
    if (entry.flag == CLONE_NEWUSER) continue;
    // Mount waits for the user namespace that owns it, and changes what paths mean.
    const bool waits = has_user && entry.flag == CLONE_NEWNS;
    if (!waits) {
      base::Result<void> entered = enter(entry);
      if (entered) continue;
      if (!has_user || entered.error().sys_errno() != EPERM) return entered;
    }
    later.push_back(&entry);
  }
  for (const OpenNamespace& entry : list) {
    if (entry.flag == CLONE_NEWUSER) TRY(enter(entry));
  }
  for (const OpenNamespace* entry : later) TRY(enter(*entry));
  return {};
}

base::Result<std::uint64_t> join_process(int procfs, int pidfd, pid_t pid) {
  std::uint64_t flags = 0;
  for (const Row& row : kTypes) {
    struct stat own{};
    struct stat theirs{};
    const std::string mine = std::string("self/ns/") + row.file;
    const std::string its = std::to_string(pid) + "/ns/" + row.file;
    if (::fstatat(procfs, mine.c_str(), &own, 0) != 0) continue;  // not in this kernel
    if (::fstatat(procfs, its.c_str(), &theirs, 0) != 0) {
      return base::fail_errno("stat", "/proc/" + its);
    }
    if (own.st_ino != theirs.st_ino || own.st_dev != theirs.st_dev) flags |= row.flag;
  }
  if (flags != 0 && ::setns(pidfd, static_cast<int>(flags)) != 0) {
    return base::fail_errno("setns", "pidfd of " + std::to_string(pid));
  }
  return flags;
}

}  // namespace runtime::namespaces
