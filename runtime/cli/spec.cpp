// wherry spec
#include <fcntl.h>
#include <unistd.h>

#include "base/file.hpp"
#include "oci/default_spec.hpp"
#include "oci/write.hpp"
#include "runtime/cgroup/host.hpp"
#include "runtime/cli/commands.hpp"

namespace runtime::cli {
namespace {

constexpr Option kOptions[] = {
    {"bundle", 'b', OptionKind::Value, "DIR", "write it there (default: the current directory)"},
    {"rootless", 0, OptionKind::Flag, {}, "for a user without root rights"},
};

base::Result<int> run(const Invocation& invocation) {
  const std::string bundle = invocation.arguments.value("bundle").value_or(".");
  const auto host = cgroup::detect_host();
  const bool only_v2 = host && host->layout == cgroup::Layout::V2;
  oci::Spec spec = oci::default_spec(only_v2);
  if (invocation.arguments.flag("rootless")) oci::make_rootless(spec, ::geteuid(), ::getegid());
  const std::string path = bundle + "/config.json";
  auto file = base::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (!file && file.error().kind() == base::ErrorKind::AlreadyExists) {
    return base::fail(base::ErrorKind::AlreadyExists, "file config.json exists. Remove it first");
  }
  const base::UniqueFd fd = TRY(std::move(file));
  TRY(base::write_all(fd.get(), oci::to_json(spec, "\t") + '\n', path));
  return 0;
}

}  // namespace

constinit const Command kSpec{
    .name = "spec",
    .synopsis = "",
    .summary = "write a config.json to start from",
    .description =
        "Writes the configuration of a container that runs sh in the directory rootfs of\n"
        "the bundle. To run it:\n\n"
        "    mkdir -p bundle/rootfs/bin\n"
        "    cp /bin/busybox bundle/rootfs/bin/sh      # a static one\n"
        "    wherry spec --bundle bundle\n"
        "    wherry run --bundle bundle first",
    .options = kOptions,
    .run = run,
};

}  // namespace runtime::cli
