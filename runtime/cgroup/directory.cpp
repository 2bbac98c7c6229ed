// cgroupfs is a file system in which directories are made and removed, and files come by
// themselves.
#include "runtime/cgroup/directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <string_view>
#include <thread>

#include "base/file.hpp"

namespace runtime::cgroup {
namespace {

constexpr std::size_t kMaxPidsFile = std::size_t{64} << 20;
constexpr std::size_t kMaxSmallFile = std::size_t{64} << 10;
constexpr int kMaxDepth = 64;
constexpr std::chrono::milliseconds kRemovePatience{2000};

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

// ENODEV: the directory was removed between open and read.
bool is_gone(const base::Error& error) {
  return error.sys_errno() == ENOENT || error.sys_errno() == ENODEV;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

base::Result<std::vector<std::string>> subdirectories(const std::string& path) {
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
  if (!directory) return base::fail_errno("opendir", path);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") {
      names.push_back(path + '/' + entry->d_name);
    }
  }
  return names;
}

base::Result<void> copy_from_parent(const std::string& path, const char* file) {
  const std::string own = TRY(base::read_file(path + file, kMaxSmallFile));
  if (own.find_first_not_of('\n') != std::string::npos) return {};
  const std::string inherited = TRY(base::read_file(parent_of(path) + file, kMaxSmallFile));
  return base::write_existing(path + file, inherited);
}

// One round over the tree; the error is the last directory's own.
base::Result<void> remove_once(const std::string& path, int depth) {
  if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
  if ((errno != EBUSY && errno != ENOTEMPTY) || depth >= kMaxDepth) {
    return base::fail_errno("rmdir", path);
  }
  auto below = subdirectories(path);
  if (!below && is_gone(below.error())) return {};
  if (!below) return std::unexpected(std::move(below).error());
  for (const std::string& each : *below) TRY(remove_once(each, depth + 1));
  if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
  return base::fail_errno("rmdir", path);
}

std::vector<std::string> offered_controllers(const std::string& path) {
  std::vector<std::string> out;
  const auto text = base::read_file(path + "/cgroup.controllers", kMaxSmallFile);
  if (!text) return out;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = std::min(text->find_first_of(" \n", at), text->size());
    if (end > at) out.push_back(text->substr(at, end - at));
    at = end + 1;
  }
  return out;
}

}  // namespace

base::Result<void> make_directory(const std::string& path, std::vector<std::string>& made) {
  // Whoever removes its parents at the same time can make a level vanish again: a few rounds.
  for (int round = 0;; ++round) {
    if (::mkdir(path.c_str(), 0755) == 0) {
      made.push_back(path);
      return {};
    }
    if (errno == EEXIST) return {};
    if (errno != ENOENT || round == 3 || parent_of(path).empty()) {
      return base::fail_errno("mkdir", path);
    }
    TRY(make_directory(parent_of(path), made));
  }
}

base::Result<void> inherit_cpuset(const std::string& path) {
  const std::string parent = parent_of(path);
  if (exists(parent + "/cpuset.cpus")) TRY(inherit_cpuset(parent));
  if (!exists(parent + "/cpuset.cpus")) return {};  // the root has all
  TRY(copy_from_parent(path, "/cpuset.cpus"));
  return copy_from_parent(path, "/cpuset.mems");
}

void enable_controllers(const std::string& path, const std::vector<std::string>& controllers) {
  const std::string parent = parent_of(path);
  if (!exists(parent + "/cgroup.subtree_control")) return;
  enable_controllers(parent, controllers);
  for (const std::string& each : controllers.empty() ? offered_controllers(parent) : controllers) {
    (void)base::write_existing(parent + "/cgroup.subtree_control", '+' + each);
  }
}

base::Result<void> read_pids(const std::string& path, bool below, std::vector<pid_t>& pids) {
  auto text = base::read_file(path + "/cgroup.procs", kMaxPidsFile);
  if (!text) {
    if (is_gone(text.error())) return {};
    // A threaded cgroup has threads only; their processes are in the parent's list.
    if (text.error().sys_errno() != EOPNOTSUPP) return std::unexpected(std::move(text).error());
  } else {
    const char* at = text->data();
    const char* const end = at + text->size();
    while (at < end) {
      pid_t pid = 0;
      const auto [next, error] = std::from_chars(at, end, pid);
      if (error != std::errc{}) break;
      if (pid > 0) pids.push_back(pid);  // 0: a process outside this pid namespace
      at = next + 1;
    }
  }
  if (!below) return {};
  const auto children = subdirectories(path);
  if (!children) return {};
  for (const std::string& each : *children) TRY(read_pids(each, true, pids));
  return {};
}

base::Result<void> remove_tree(const std::string& path) {
  using std::chrono::milliseconds;
  milliseconds wait{1};
  for (milliseconds waited{0};; waited += wait, wait = std::min(wait * 2, milliseconds(50))) {
    base::Result<void> removed = remove_once(path, 0);
    if (removed || removed.error().sys_errno() != EBUSY || waited >= kRemovePatience) {
      return removed;
    }
    std::this_thread::sleep_for(wait);
  }
}

}  // namespace runtime::cgroup
