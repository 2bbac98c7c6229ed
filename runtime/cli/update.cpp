// wherry update: new limits for a container that exists.
#include <unistd.h>

#include <charconv>
#include <limits>

#include "base/file.hpp"
#include "oci/parse.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/container_options.hpp"
#include "runtime/cli/quantity.hpp"

namespace runtime::cli {
namespace {

constexpr Option kOptions[] = {
    {"resources", 'r', OptionKind::Value, "FILE", "read linux.resources from FILE; - is stdin"},
    {"memory", 0, OptionKind::Value, "BYTES", "memory limit, like 512m; -1: none"},
    {"memory-swap", 0, OptionKind::Value, "BYTES", "limit of memory and swap together; -1: none"},
    {"memory-reservation", 0, OptionKind::Value, "BYTES", "what reclaim leaves to the container"},
    {"cpu-share", 0, OptionKind::Value, "N", "weight against other cgroups (default 1024)"},
    {"cpu-quota", 0, OptionKind::Value, "USECS", "time per period; -1: no limit"},
    {"cpu-period", 0, OptionKind::Value, "USECS", "length of a period"},
    {"cpu-burst", 0, OptionKind::Value, "USECS", "unused time that may be saved up"},
    {"cpu-rt-runtime", 0, OptionKind::Value, "USECS", "time per period for real-time tasks"},
    {"cpu-rt-period", 0, OptionKind::Value, "USECS", "length of a real-time period"},
    {"cpu-idle", 0, OptionKind::Value, "0|1", "run only when nobody else wants to"},
    {"cpuset-cpus", 0, OptionKind::Value, "LIST", "processors, as in 0-3,7"},
    {"cpuset-mems", 0, OptionKind::Value, "LIST", "memory nodes"},
    {"pids-limit", 0, OptionKind::Value, "N", "number of tasks; -1: no limit"},
    {"blkio-weight", 0, OptionKind::Value, "N", "weight of block I/O, 10 to 1000"},
    {"l3-cache-schema", 0, OptionKind::Value, "LINE", "Intel RDT: L3:ID=MASK;..."},
    {"mem-bw-schema", 0, OptionKind::Value, "LINE", "Intel RDT: MB:ID=BANDWIDTH;..."},
    {"kernel-memory", 0, OptionKind::Value, "BYTES", {}},
    {"kernel-memory-tcp", 0, OptionKind::Value, "BYTES", {}},
};

/// -1, or bytes with or without k, m, g, t.
base::Result<void> read_size(const Arguments& arguments, std::string_view option,
                             std::optional<std::int64_t>& out) {
  const auto text = arguments.value(option);
  if (!text) return {};
  if (*text == "-1") {
    out = -1;
    return {};
  }
  const std::uint64_t size = TRY(parse_size(*text, option));
  if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return base::fail(base::ErrorKind::Invalid,
                      "invalid value for " + std::string(option) + ": " + *text);
  }
  out = static_cast<std::int64_t>(size);
  return {};
}

template <typename Number>
base::Result<void> read_number(const Arguments& arguments, std::string_view option,
                               std::optional<Number>& out) {
  const auto text = arguments.value(option);
  if (!text) return {};
  Number number{};
  const char* const end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc{} || rest != end) {
    return base::fail(base::ErrorKind::Invalid,
                      "invalid value for " + std::string(option) + ": " + *text);
  }
  out = number;
  return {};
}

base::Result<oci::Resources> from_options(const Arguments& arguments) {
  oci::Resources out;
  TRY(read_size(arguments, "memory", out.memory.limit));
  TRY(read_size(arguments, "memory-swap", out.memory.swap));
  TRY(read_size(arguments, "memory-reservation", out.memory.reservation));
  TRY(read_size(arguments, "kernel-memory", out.memory.kernel));
  TRY(read_size(arguments, "kernel-memory-tcp", out.memory.kernel_tcp));
  TRY(read_number(arguments, "cpu-share", out.cpu.shares));
  TRY(read_number(arguments, "cpu-quota", out.cpu.quota));
  TRY(read_number(arguments, "cpu-period", out.cpu.period));
  TRY(read_number(arguments, "cpu-burst", out.cpu.burst));
  TRY(read_number(arguments, "cpu-rt-runtime", out.cpu.realtime_runtime));
  TRY(read_number(arguments, "cpu-rt-period", out.cpu.realtime_period));
  TRY(read_number(arguments, "cpu-idle", out.cpu.idle));
  TRY(read_number(arguments, "pids-limit", out.pids.limit));
  TRY(read_number(arguments, "blkio-weight", out.block_io.weight));
  out.cpu.cpus = arguments.value("cpuset-cpus").value_or("");
  out.cpu.mems = arguments.value("cpuset-mems").value_or("");
  return out;
}

base::Result<oci::Resources> read_resources(const Arguments& arguments) {
  const auto path = arguments.value("resources");
  if (!path) return from_options(arguments);
  const bool from_stdin = *path == "-";
  const std::string text =
      TRY(from_stdin ? base::read_all(STDIN_FILENO, oci::kMaxConfigBytes, "stdin")
                     : base::read_file(*path, oci::kMaxConfigBytes));
  return oci::parse_resources(text);
}

base::Result<int> run(const Invocation& invocation) {
  const oci::Resources resources = TRY(read_resources(invocation.arguments));
  const std::string& id = invocation.arguments.positional().front();
  const container::Schemas schemas{
      std::string(invocation.arguments.value("l3-cache-schema").value_or("")),
      std::string(invocation.arguments.value("mem-bw-schema").value_or(""))};
  TRY(container::update(make_host(invocation), id, resources, schemas));
  return 0;
}

}  // namespace

constinit const Command kUpdate{
    .name = "update",
    .synopsis = "<container-id>",
    .summary = "change the limits of a container",
    .description =
        "Takes the new limits from options, or from a document like linux.resources in\n"
        "config.json. What is not mentioned stays as it is.",
    .options = kOptions,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
};

}  // namespace runtime::cli
