#include "engine/cache/compile_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <memory>
#include <optional>

#include "base/unique_fd.hpp"
#include "engine/structure/error.hpp"

namespace engine::cache {
namespace {

constexpr std::size_t kMaxLine = 8192;

struct DestroyActions {
  void operator()(posix_spawn_file_actions_t* actions) const {
    ::posix_spawn_file_actions_destroy(actions);
  }
};

/// Above the fixed numbers, so that giving one descriptor its number does not close another.
base::Result<base::UniqueFd> lift(int fd) {
  base::UniqueFd out(::fcntl(fd, F_DUPFD_CLOEXEC, kReportFd + 1));
  if (!out) return base::fail_errno("fcntl", "F_DUPFD_CLOEXEC");
  return out;
}

base::Result<pid_t> spawn(const std::string& program, std::string_view cpu, int module, int output,
                          int report) {
  posix_spawn_file_actions_t storage;
  ::posix_spawn_file_actions_init(&storage);
  const std::unique_ptr<posix_spawn_file_actions_t, DestroyActions> actions(&storage);
  for (const int fd : {0, 1, 2}) {
    ::posix_spawn_file_actions_addopen(&storage, fd, "/dev/null", O_RDWR, 0);
  }
  ::posix_spawn_file_actions_adddup2(&storage, module, kModuleFd);
  ::posix_spawn_file_actions_adddup2(&storage, output, kOutputFd);
  ::posix_spawn_file_actions_adddup2(&storage, report, kReportFd);
  std::string name = "wherry-compile";
  std::string option = "--cpu=" + std::string(cpu);
  std::array<char*, 3> arguments = {name.data(), option.data(), nullptr};
  std::array<char*, 1> environment = {nullptr};
  pid_t pid = 0;
  const int failed =
      ::posix_spawn(&pid, program.c_str(), &storage, nullptr, arguments.data(), environment.data());
  if (failed != 0) return std::unexpected(base::Error("posix_spawn", program, failed));
  return pid;
}

base::ErrorKind kind_of(std::string_view name) {
  for (const ErrorKind kind :
       {ErrorKind::Malformed, ErrorKind::Invalid, ErrorKind::Unlinkable, ErrorKind::Unsupported,
        ErrorKind::LimitExceeded, ErrorKind::System}) {
    if (kind_name(kind) == name) return to_base_error(Error{kind, {}}).kind();
  }
  return base::ErrorKind::Internal;
}

/// Reads the report line by line, and remembers how it ended.
class Report {
 public:
  explicit Report(const Progress& progress) : progress_(progress) {}

  void add(std::string_view bytes) {
    text_ += bytes;
    for (std::size_t end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
      line(std::string_view(text_).substr(0, end));
      text_.erase(0, end + 1);
    }
    if (text_.size() > kMaxLine) text_.clear();
  }

  std::optional<base::Result<CompileReport>> take() { return std::move(result_); }

 private:
  void line(std::string_view text) {
    if (text.starts_with("progress ")) {
      const auto [done, total] = two_numbers(text.substr(9));
      if (progress_) progress_(done, total);
    } else if (text.starts_with("levels ")) {
      const auto [o2, o1] = two_numbers(text.substr(7));
      result_ = CompileReport{o2, o1};
    } else if (text.starts_with("error ")) {
      text.remove_prefix(6);
      const std::size_t colon = std::min(text.find(':'), text.size());
      result_ = base::fail(kind_of(text.substr(0, colon)), std::string(text));
    }
  }

  static std::pair<std::uint64_t, std::uint64_t> two_numbers(std::string_view text) {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, first);
    if (parsed.ptr != end) std::from_chars(parsed.ptr + 1, end, second);
    return {first, second};
  }

  const Progress& progress_;
  std::string text_;
  std::optional<base::Result<CompileReport>> result_;
};

std::string describe_end(int status) {
  if (WIFSIGNALED(status)) {
    return "killed by signal " + std::to_string(WTERMSIG(status)) +
           (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGXCPU ? " (out of memory or time)"
                                                                       : "");
  }
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

base::Result<CompileReport> compile_in_process(const std::string& program, int module, int output,
                                               std::string_view cpu, const Progress& progress) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail_errno("pipe2", program);
  const base::UniqueFd reading(ends[0]);
  base::UniqueFd writing(ends[1]);
  const base::UniqueFd high_module = TRY(lift(module));
  const base::UniqueFd high_output = TRY(lift(output));
  writing = TRY(lift(writing.get()));
  const pid_t pid = TRY(spawn(program, cpu, high_module.get(), high_output.get(), writing.get()));
  writing.reset();
  Report report(progress);
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t got = ::read(reading.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    report.add({buffer.data(), static_cast<std::size_t>(got)});
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return base::fail_errno("waitpid", program);
  }
  auto result = report.take();
  if (result && (!*result || status == 0)) return std::move(*result);
  return base::fail(base::ErrorKind::Internal, "wherry-compile: " + describe_end(status));
}

}  // namespace engine::cache
