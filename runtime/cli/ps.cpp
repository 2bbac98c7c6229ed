// wherry ps: the processes of a container, found by its cgroups, shown by the host's ps(1).
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/file.hpp"
#include "oci/json/writer.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/cli/commands.hpp"

namespace runtime::cli {
namespace {

constexpr std::size_t kMaxTable = std::size_t{256} << 20;

constexpr Option kOptions[] = {
    {"format", 'f', OptionKind::Value, "FORMAT", "table (default) or json: an array of pids"},
};

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    if (end > at) out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

// What `ps` with these arguments prints on the host.
base::Result<std::string> host_ps(const std::vector<std::string>& arguments) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail_errno("pipe2");
  const base::UniqueFd read_end(ends[0]);
  base::UniqueFd write_end(ends[1]);
  std::string name = "ps";
  std::vector<std::string> words = arguments;
  std::vector<char*> pointers{name.data()};
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
  pid_t pid = -1;
  errno = ::posix_spawnp(&pid, "ps", &actions, nullptr, pointers.data(), environ);
  const int spawn_errno = errno;
  ::posix_spawn_file_actions_destroy(&actions);
  if (spawn_errno != 0) return std::unexpected(base::Error("posix_spawn", "ps", spawn_errno));
  write_end.reset();
  auto output = base::read_all(read_end.get(), kMaxTable, "output of ps");
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (output && status != 0) return base::fail(base::ErrorKind::Invalid, "ps failed");
  return output;
}

// Keeps the heading and the lines whose PID is one of the container's.
base::Result<std::string> filter(const std::string& table, const std::vector<pid_t>& pids) {
  const std::vector<std::string_view> lines = split(table, "\n");
  const auto headings = lines.empty() ? std::vector<std::string_view>{} : split(lines[0], " \t");
  const auto column = std::ranges::find(headings, "PID");
  if (column == headings.end()) {
    return base::fail(base::ErrorKind::Invalid, "couldn't find PID field in ps output");
  }
  const auto index = static_cast<std::size_t>(column - headings.begin());
  std::string out = std::string(lines[0]) + '\n';
  for (const std::string_view line : std::span(lines).subspan(1)) {
    const auto fields = split(line, " \t");
    pid_t pid = -1;
    if (index >= fields.size()) continue;
    std::from_chars(fields[index].data(), fields[index].data() + fields[index].size(), pid);
    if (std::ranges::binary_search(pids, pid)) out += std::string(line) + '\n';
  }
  return out;
}

base::Result<int> run(const Invocation& invocation) {
  const std::string format = invocation.arguments.value("format").value_or("table");
  if (format != "table" && format != "json") {
    return base::fail(base::ErrorKind::Invalid, "invalid format option");
  }
  const std::vector<std::string>& words = invocation.arguments.positional();
  const state::Record record = TRY(invocation.globals.store.load(words.front()));
  const std::vector<pid_t> pids = TRY(cgroup::Cgroup(record.cgroup).pids());
  if (format == "json") {
    oci::json::Writer writer;
    writer.begin_array();
    for (const pid_t pid : pids) writer.value(pid);
    writer.end_array();
    print(writer.take() + '\n');
    return 0;
  }
  std::vector<std::string> arguments(words.begin() + 1, words.end());
  if (arguments.empty()) arguments = {"-ef"};
  const std::string table = TRY(host_ps(arguments));
  print(TRY(filter(table, pids)));
  return 0;
}

}  // namespace

constinit const Command kPs{
    .name = "ps",
    .synopsis = "<container-id> [ps options]",
    .summary = "show the processes of a container",
    .description =
        "Runs the host's ps (with -ef unless options are given) and keeps the lines of\n"
        "this container's processes. The output has to have a column PID.",
    .options = kOptions,
    .least_arguments = 1,
    .most_arguments = kAnyNumber,
    .reading = Reading::StopAtPositional,
    .run = run,
};

}  // namespace runtime::cli
