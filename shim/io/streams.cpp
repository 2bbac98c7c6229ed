#include "shim/io/streams.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/file.hpp"

namespace shim::io {
namespace {

constexpr std::string_view kFile = "file://";
constexpr std::string_view kBinary = "binary://";

bool is_fifo(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
}

base::Result<void> make_blocking(int fd, const std::string& path) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0) {
    return base::fail_errno("fcntl(F_SETFL)", path);
  }
  return {};
}

base::Result<void> give_to(int fd, Owner owner, const std::string& path) {
  if (owner.uid == 0 && owner.gid == 0) return {};
  if (::fchown(fd, owner.uid, owner.gid) != 0) return base::fail_errno("fchown", path);
  return {};
}

struct Ends {
  base::UniqueFd process;
  base::UniqueFd shim;
};

base::Result<Ends> open_input(const StreamPaths& paths, Owner owner) {
  const std::string& path = paths.in;
  Ends out;
  if (path.empty()) {
    out.process = TRY(base::open_file("/dev/null", O_RDONLY));
    return out;
  }
  // In this order neither open waits: a FIFO's reader that does not block needs no writer.
  out.process = TRY(base::open_file(path, O_RDONLY | O_NONBLOCK));
  if (!is_fifo(path)) return out;
  out.shim = TRY(base::open_file(path, O_WRONLY | O_NONBLOCK));
  TRY(give_to(out.process.get(), owner, path));
  if (!paths.terminal) TRY(make_blocking(out.process.get(), path));
  return out;
}

base::Result<Ends> open_output(const std::string& path, bool terminal, Owner owner, Unread unread) {
  Ends out;
  if (path.empty()) {
    out.process = TRY(base::open_file("/dev/null", O_WRONLY));
    return out;
  }
  if (path.starts_with(kFile)) {
    const std::string file = path.substr(kFile.size());
    TRY(base::make_directories(std::filesystem::path(file).parent_path(), 0755));
    out.process = TRY(base::open_file(file, O_WRONLY | O_CREAT | O_APPEND, 0644));
    return out;
  }
  if (path.find("://") != std::string::npos) {
    return base::fail(base::ErrorKind::Invalid, "unknown scheme: " + path);
  }
  if (!is_fifo(path)) {
    out.process = TRY(base::open_file(path, O_WRONLY | O_APPEND | O_NONBLOCK));
    return out;
  }
  auto writer = base::open_file(path, O_WRONLY | O_NONBLOCK);
  const bool is_unread = !writer && writer.error().sys_errno() == ENXIO;
  if (is_unread && unread == Unread::Left) return out;
  out.shim = TRY(base::open_file(path, O_RDONLY | O_NONBLOCK));
  if (is_unread) writer = base::open_file(path, O_WRONLY | O_NONBLOCK);
  out.process = TRY(std::move(writer));
  TRY(give_to(out.process.get(), owner, path));
  if (!terminal) TRY(make_blocking(out.process.get(), path));
  return out;
}

base::Result<void> open_logger(const StreamPaths& paths, Streams& streams) {
  Logger logger = TRY(parse_logger(paths.out));
  for (const auto& [process, reads] :
       {std::pair{&streams.out, &logger.out}, std::pair{&streams.err, &logger.err}}) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail_errno("pipe2", logger.program);
    reads->reset(ends[0]);
    process->reset(ends[1]);
  }
  streams.logger.emplace(std::move(logger));
  return {};
}

}  // namespace

base::Result<Logger> parse_logger(std::string_view uri) {
  Logger out;
  uri.remove_prefix(kBinary.size());
  const std::size_t question = uri.find('?');
  out.program = uri.substr(0, question);
  if (!out.program.starts_with('/')) {
    return base::fail(base::ErrorKind::Invalid,
                      "logger " + out.program + ": the path is not absolute");
  }
  std::string_view query =
      question == std::string_view::npos ? std::string_view() : uri.substr(question + 1);
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    out.arguments.emplace_back(pair.substr(0, equals));
    if (equals != std::string_view::npos && equals + 1 < pair.size()) {
      out.arguments.emplace_back(pair.substr(equals + 1));
    }
  }
  return out;
}

base::Result<Streams> open_streams(const StreamPaths& paths, Owner owner, Unread unread) {
  Streams out;
  Ends in = TRY(base::with_context(open_input(paths, owner), "open standard input"));
  out.in = std::move(in.process);
  out.in_writer = std::move(in.shim);
  if (paths.out.starts_with(kBinary)) {
    TRY(base::with_context(open_logger(paths, out), "open standard output"));
  } else {
    TRY(open_outputs(out, paths, owner, unread));
  }
  return out;
}

base::Result<void> open_outputs(Streams& streams, const StreamPaths& paths, Owner owner,
                                Unread unread) {
  if (!streams.out) {
    Ends ends = TRY(base::with_context(open_output(paths.out, paths.terminal, owner, unread),
                                       "open standard output"));
    streams.out = std::move(ends.process);
    streams.out_reader = std::move(ends.shim);
  }
  if (!streams.err && !paths.terminal) {
    Ends ends = TRY(
        base::with_context(open_output(paths.err, false, owner, unread), "open standard error"));
    streams.err = std::move(ends.process);
    streams.err_reader = std::move(ends.shim);
  }
  return {};
}

bool are_open(const Streams& streams, const StreamPaths& paths) {
  return streams.out && (streams.err || paths.terminal);
}

base::Result<void> become_standard_streams(const Streams& streams) {
  int number = 0;
  for (const base::UniqueFd* each : {&streams.in, &streams.out, &streams.err}) {
    if (*each && ::dup2(each->get(), number) < 0) return base::fail_errno("dup2");
    ++number;
  }
  return {};
}

}  // namespace shim::io
