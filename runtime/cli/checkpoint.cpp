// wherry checkpoint
#include <charconv>

#include "runtime/checkpoint/plan.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/container_options.hpp"
#include "runtime/cli/criu_options.hpp"

namespace runtime::cli {
namespace {

constexpr Option kOptions[] = {
    kImagePath,
    kWorkPath,
    {"parent-path", 0, OptionKind::Value, "DIR",
     "images of an earlier pre-dump, relative to the image path"},
    {"leave-running", 0, OptionKind::Flag, {}, "let the container go on afterwards"},
    kTcpEstablished,
    {"tcp-skip-in-flight", 0, OptionKind::Flag, {}, "leave out TCP connections not yet accepted"},
    {"link-remap", 0, OptionKind::Flag, {}, "give unlinked files a name again where possible"},
    kExtUnixSk,
    kShellJob,
    kLazyPages,
    {"status-fd", 0, OptionKind::Value, "N",
     "write \\0 to this descriptor once lazy pages are ready"},
    {"page-server", 0, OptionKind::Value, "ADDRESS:PORT", "send memory to criu's page server"},
    kFileLocks,
    {"pre-dump", 0, OptionKind::Flag, {}, "save memory alone; the container goes on"},
    kManageCgroupsMode,
    kEmptyNs,
    kAutoDedup,
};

base::Result<int> status_fd(const Arguments& arguments) {
  const std::string text = arguments.value("status-fd").value_or("-1");
  int out = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) {
    return base::fail(base::ErrorKind::Invalid,
                      "invalid value \"" + text + "\" for flag -status-fd");
  }
  return out;
}

base::Result<int> run(const Invocation& invocation) {
  const Arguments& arguments = invocation.arguments;
  checkpoint::Options options = TRY(criu_options(invocation));
  options.parent_path = arguments.value("parent-path").value_or("");
  options.leave_running = arguments.flag("leave-running");
  options.tcp_skip_in_flight = arguments.flag("tcp-skip-in-flight");
  options.link_remap = arguments.flag("link-remap");
  options.pre_dump = arguments.flag("pre-dump");
  options.status_fd = TRY(status_fd(arguments));
  if (const auto server = arguments.value("page-server")) {
    options.page_server = TRY(checkpoint::parse_page_server(*server));
  }
  TRY(container::checkpoint(make_host(invocation), arguments.positional().front(), options));
  return 0;
}

}  // namespace

constinit const Command kCheckpoint{
    .name = "checkpoint",
    .synopsis = "<container-id>",
    .summary = "save a running container to files",
    .description =
        "Has the program criu save the processes of a native container, and deletes the\n"
        "container unless it is told to leave it running. restore continues it. Containers\n"
        "whose program is a WebAssembly module cannot be saved.",
    .options = kOptions,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
};

}  // namespace runtime::cli
