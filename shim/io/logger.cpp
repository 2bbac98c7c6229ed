// Starting a logger: containerd's docs, "Logging" in the runtime v2 readme.
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "shim/io/streams.hpp"

namespace shim::io {
namespace {

constexpr int kPatienceMs = 10'000;
constexpr int kFirstFree = 6;

struct DestroyActions {
  void operator()(posix_spawn_file_actions_t* actions) const {
    ::posix_spawn_file_actions_destroy(actions);
  }
};

/// Above the fixed numbers, so that giving one descriptor its number does not close another.
base::Result<base::UniqueFd> lift(int fd) {
  base::UniqueFd out(::fcntl(fd, F_DUPFD_CLOEXEC, kFirstFree));
  if (!out) return base::fail_errno("fcntl", "F_DUPFD_CLOEXEC");
  return out;
}

base::Result<void> spawn(const Logger& logger, const std::string& id, const std::string& name_space,
                         int ready) {
  const base::UniqueFd out = TRY(lift(logger.out.get()));
  const base::UniqueFd err = TRY(lift(logger.err.get()));
  const base::UniqueFd high_ready = TRY(lift(ready));
  posix_spawn_file_actions_t storage;
  ::posix_spawn_file_actions_init(&storage);
  const std::unique_ptr<posix_spawn_file_actions_t, DestroyActions> actions(&storage);
  ::posix_spawn_file_actions_adddup2(&storage, out.get(), 3);
  ::posix_spawn_file_actions_adddup2(&storage, err.get(), 4);
  ::posix_spawn_file_actions_adddup2(&storage, high_ready.get(), 5);
  std::vector<std::string> words{logger.program};
  words.insert(words.end(), logger.arguments.begin(), logger.arguments.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::string container = "CONTAINER_ID=" + id;
  std::string space = "CONTAINER_NAMESPACE=" + name_space;
  std::vector<char*> environment{container.data(), space.data()};
  for (char** each = environ; *each != nullptr; ++each) environment.push_back(*each);
  environment.push_back(nullptr);
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, logger.program.c_str(), &storage, nullptr,
                                   arguments.data(), environment.data());
  if (failed != 0) return std::unexpected(base::Error("posix_spawn", logger.program, failed));
  return {};
}

}  // namespace

base::Result<void> start_logger(const Logger& logger, const std::string& id,
                                const std::string& name_space) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail_errno("pipe2", logger.program);
  const base::UniqueFd reading(ends[0]);
  base::UniqueFd writing(ends[1]);
  TRY(base::with_context(spawn(logger, id, name_space, writing.get()), "start logger"));
  writing.reset();
  pollfd ready{reading.get(), POLLIN, 0};
  if (::poll(&ready, 1, kPatienceMs) <= 0) {
    return base::fail(base::ErrorKind::System, "logger " + logger.program + " did not get ready");
  }
  return {};
}

}  // namespace shim::io
