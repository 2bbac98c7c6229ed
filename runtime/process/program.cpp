#include "runtime/process/program.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/file.hpp"

namespace runtime::process {
namespace {

constexpr std::size_t kMaxPasswd = std::size_t{4} << 20;

std::unexpected<base::Error> exec_error(base::ErrorKind kind, const std::string& name,
                                        const std::string& reason) {
  return base::fail(kind, "exec: \"" + name + "\": " + reason);
}

// 0: may be executed; otherwise why not, as errno.
int check(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  if (!S_ISREG(status.st_mode)) return EACCES;
  if (::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0) return 0;
  // A filter older than faccessat2(2) answers with EPERM, which the file system never does.
  if (errno == EPERM && ::access(path.c_str(), X_OK) == 0) return 0;
  return errno;
}

std::string_view field(std::string_view line, int index) {
  for (; index > 0; --index) {
    const std::size_t colon = line.find(':');
    if (colon == line.npos) return {};
    line.remove_prefix(colon + 1);
  }
  return line.substr(0, line.find(':'));
}

}  // namespace

const char* find_variable(const std::vector<std::string>& env, std::string_view name) {
  for (auto each = env.rbegin(); each != env.rend(); ++each) {
    if (each->size() > name.size() && each->starts_with(name) && (*each)[name.size()] == '=') {
      return each->c_str() + name.size() + 1;
    }
  }
  return nullptr;
}

void keep_last_values(std::vector<std::string>& env) {
  std::set<std::string, std::less<>> seen;
  std::vector<std::string> kept;
  for (auto each = env.rbegin(); each != env.rend(); ++each) {
    if (!seen.insert(each->substr(0, each->find('='))).second || *each == "HOME=") continue;
    kept.push_back(std::move(*each));
  }
  std::ranges::reverse(kept);
  env = std::move(kept);
}

base::Result<std::string> find_program(const std::string& name,
                                       const std::vector<std::string>& env) {
  if (name.find('/') != name.npos) {
    const int error = check(name);
    if (error == 0) return name;
    if (error == EACCES || error == EPERM) {
      return exec_error(base::ErrorKind::System, name, "permission denied");
    }
    if (error == EISDIR) return exec_error(base::ErrorKind::Invalid, name, "is a directory");
    return exec_error(base::ErrorKind::NotFound, name,
                      "stat " + name + ": " + base::errno_text(error));
  }
  const char* variable = find_variable(env, "PATH");
  std::string_view path = variable != nullptr ? variable : "";
  bool is_denied = false;
  while (!path.empty() && !name.empty()) {
    const std::size_t end = std::min(path.find(':'), path.size());
    const std::string directory = end == 0 ? "." : std::string(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
    std::string candidate = directory + '/' + name;
    const int error = check(candidate);
    if (error == 0) return candidate;
    if (error == EACCES) is_denied = true;
  }
  if (is_denied) return exec_error(base::ErrorKind::System, name, "permission denied");
  return exec_error(base::ErrorKind::NotFound, name, "executable file not found in $PATH");
}

std::string home_of(uid_t uid) {
  // The image may have put a fifo or a device there.
  const auto file = base::open_file("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat status{};
  if (!file || ::fstat(file->get(), &status) != 0 || !S_ISREG(status.st_mode)) return "/";
  const auto text = base::read_all(file->get(), kMaxPasswd, "/etc/passwd");
  if (!text) return "/";
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::string_view number = field(line, 2);
    uid_t value = 0;
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), value);
    if (parsed.ec != std::errc() || parsed.ptr != number.data() + number.size()) continue;
    if (value == uid && !field(line, 5).empty()) return std::string(field(line, 5));
  }
  return "/";
}

}  // namespace runtime::process
