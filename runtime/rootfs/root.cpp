#include "runtime/rootfs/root.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <vector>

#include "base/file.hpp"
#include "base/open_in_root.hpp"

namespace runtime::rootfs {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel

/// Goes to a path whose end does not exist, one component at a time on descriptors that are already
/// inside, and makes what is missing. Nothing is opened through a link: its text is read and put in
/// front of what is left to go, so that "/" and ".." never mean more than the root.
class Walk {
 public:
  Walk(int root, std::string_view path) : root_(root), path_(path) { prepend(path); }

  base::Result<base::UniqueFd> make(bool is_file) {
    while (!left_.empty()) {
      const std::string name = std::move(left_.back());
      left_.pop_back();
      if (name == "..") {
        if (!inside_.empty()) inside_.pop_back();
        continue;
      }
      base::UniqueFd next = TRY(step(name, is_file && left_.empty()));
      if (next) inside_.push_back(std::move(next));
    }
    if (inside_.empty()) return base::open_at(root_, ".", O_PATH | O_DIRECTORY);
    return std::move(inside_.back());
  }

 private:
  int here() const { return inside_.empty() ? root_ : inside_.back().get(); }

  void prepend(std::string_view text) {
    for (std::size_t end = text.size(); end > 0;) {
      const std::size_t slash = text.rfind('/', end - 1);
      const std::size_t start = slash == std::string_view::npos ? 0 : slash + 1;
      const std::string_view part = text.substr(start, end - start);
      if (!part.empty() && part != ".") left_.emplace_back(part);
      end = start == 0 ? 0 : start - 1;
    }
  }

  base::Result<void> follow(int link) {
    if (++links_ > kMaxLinks) return std::unexpected(base::Error("openat", path_, ELOOP));
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlinkat(link, "", target.data(), target.size());
    if (size < 0) return base::fail_errno("readlink", path_);
    const std::string_view text(target.data(), static_cast<std::size_t>(size));
    if (text.starts_with('/')) inside_.clear();
    prepend(text);
    return {};
  }

  /// Empty after a link.
  base::Result<base::UniqueFd> step(const std::string& name, bool is_file) {
    base::Result<base::UniqueFd> next = base::open_at(here(), name, O_PATH | O_NOFOLLOW);
    if (!next && next.error().kind() == base::ErrorKind::NotFound) {
      TRY(make_one(name, is_file));
      next = base::open_at(here(), name, O_PATH | O_NOFOLLOW);
    }
    if (!next) return next;
    const struct stat status = TRY(base::stat_fd(next->get(), path_));
    if (S_ISLNK(status.st_mode)) {
      TRY(follow(next->get()));
      return base::UniqueFd();
    }
    if (!is_file && !S_ISDIR(status.st_mode)) {
      return std::unexpected(base::Error("openat", path_, ENOTDIR));
    }
    return next;
  }

  /// The name may have appeared meanwhile; what counts is what it then opens as.
  base::Result<void> make_one(const std::string& name, bool is_file) const {
    if (!is_file) {
      if (::mkdirat(here(), name.c_str(), 0755) == 0 || errno == EEXIST) return {};
      return base::fail_errno("mkdir", path_);
    }
    base::Result<base::UniqueFd> made =
        base::open_at(here(), name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0644);
    if (made || made.error().sys_errno() == EEXIST) return {};
    return std::unexpected(std::move(made).error());
  }

  int root_;
  std::string path_;
  std::vector<base::UniqueFd> inside_;  ///< the directories below the root on the way to here
  std::vector<std::string> left_;       ///< components still to go, the next one last
  int links_ = 0;
};

}  // namespace

base::Result<base::UniqueFd> Root::open(std::string_view path, std::uint64_t flags) const {
  return base::open_in_root(directory_.get(), path, flags);
}

base::Result<base::UniqueFd> Root::make_directories(std::string_view path) const {
  base::Result<base::UniqueFd> present = open(path, O_PATH | O_DIRECTORY);
  if (present || present.error().kind() != base::ErrorKind::NotFound || path == "/") return present;
  return make(path, false);
}

base::Result<base::UniqueFd> Root::make_file(std::string_view path) const {
  base::Result<base::UniqueFd> present = open(path, O_PATH);
  if (present || present.error().kind() != base::ErrorKind::NotFound) return present;
  return make(path, true);
}

base::Result<base::UniqueFd> Root::make(std::string_view path, bool is_file) const {
  return Walk(directory_.get(), path).make(is_file);
}

base::Result<base::UniqueFd> Root::make_parent(std::string_view path) const {
  const std::size_t slash = path.rfind('/');
  return make_directories(slash == 0 ? "/" : path.substr(0, slash));
}

std::string base_name(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

}  // namespace runtime::rootfs
