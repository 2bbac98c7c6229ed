// checkpoint: a running container becomes files. criu does it; this says what of the container is
// not criu's to save.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "base/file.hpp"
#include "oci/names.hpp"
#include "oci/parse.hpp"
#include "runtime/checkpoint/criu.hpp"
#include "runtime/checkpoint/log_quote.hpp"
#include "runtime/checkpoint/mount_points.hpp"
#include "runtime/checkpoint/plan.hpp"
#include "runtime/checkpoint/stdio.hpp"
#include "runtime/container/cgroups.hpp"
#include "runtime/container/creating.hpp"
#include "runtime/container/notify.hpp"
#include "runtime/state/status.hpp"

namespace runtime::container {
namespace {

constexpr std::chrono::seconds kPatience{10};
constexpr mode_t kDirectoryMode = 0700;

base::Result<void> check_state(const state::Record& record, oci::Status status) {
  if (status != oci::Status::Running && status != oci::Status::Paused) {
    return base::fail(
        base::ErrorKind::WrongState,
        "Container cannot be checkpointed in " + std::string(oci::name_of(status)) + " state");
  }
  if (record.is_wasm) {
    return base::fail(base::ErrorKind::Unsupported,
                      "a WebAssembly container cannot be checkpointed: its process maps compiled "
                      "code and a reservation of address space that criu cannot save");
  }
  return {};
}

base::Result<base::UniqueFd> open_directory(const std::string& path) {
  TRY(base::make_directories(path, kDirectoryMode));
  return base::open_file(path, O_RDONLY | O_DIRECTORY);
}

base::Result<void> check_parent(const checkpoint::Options& options) {
  if (options.parent_path.empty()) return {};
  if (options.parent_path.starts_with('/')) {
    return base::fail(base::ErrorKind::Invalid, "--parent-path must be relative");
  }
  const std::string path = options.image_path + '/' + options.parent_path;
  static_cast<void>(TRY(
      base::with_context(base::open_file(path, O_PATH | O_DIRECTORY), "invalid --parent-path")));
  return {};
}

/// What is asked of lazy pages' reader: runc's rule.
base::Result<void> check_status_fd(const checkpoint::Options& options) {
  if (!options.lazy_pages || options.status_fd < 0) return {};
  const std::string name = "invalid --status-fd argument " + std::to_string(options.status_fd);
  const int flags = ::fcntl(options.status_fd, F_GETFL);
  if (flags < 0) return base::with_context(base::Result<void>(base::fail_errno("fcntl", "")), name);
  if ((flags & O_ACCMODE) == O_RDONLY) {
    return base::fail(base::ErrorKind::Invalid, name + ": not writable");
  }
  return {};
}

base::Result<void> check_abilities(const checkpoint::Options& options) {
  TRY(checkpoint::check_version());
  if (options.pre_dump) TRY(checkpoint::check_features({true, false}));
  if (options.lazy_pages) TRY(checkpoint::check_features({false, true}));
  return check_status_fd(options);
}

base::Result<std::map<std::string, std::uint64_t>> namespace_inodes(pid_t pid) {
  std::map<std::string, std::uint64_t> out;
  for (const char* name : {"net", "pid"}) {
    const std::string path = "/proc/" + std::to_string(pid) + "/ns/" + name;
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return base::fail_errno("stat", path);
    out[name] = status.st_ino;
  }
  return out;
}

/// The plan of create again, from the configuration that it kept.
base::Result<rootfs::RootfsPlan> plan_root(const Host& host, oci::Spec& spec,
                                           const state::Entry& entry, state::Record record) {
  if (::access(entry.notify_directory().c_str(), F_OK) == 0) {
    TRY(prepare_notify(spec, entry.notify_directory()));
  }
  rootfs::RootfsPlan out = TRY(rootfs::plan_rootfs(spec, record.bundle));
  TRY(ContainerCgroups(host, spec, entry, record).show_recorded_in(out));
  return out;
}

class Dumper {
 public:
  Dumper(const Host& host, const checkpoint::Options& options, const state::Entry& entry,
         const state::Record& record, oci::Spec& spec)
      : host_(host), options_(options), entry_(entry), record_(record), spec_(spec) {}

  base::Result<void> dump() {
    TRY(check_parent(options_));
    TRY(check_abilities(options_));
    const base::UniqueFd images = TRY(open_directory(options_.image_path));
    base::UniqueFd work;
    if (!options_.work_path.empty()) work = TRY(open_directory(options_.work_path));
    checkpoint::DumpFacts facts = TRY(gather());
    facts.images_directory = images.get();
    facts.work_directory = work.get();
    if (!options_.pre_dump) {
      TRY(base::write_atomic(options_.image_path + '/' + checkpoint::kDescriptorsFile,
                             checkpoint::to_json(record_.stdio), 0600));
    }
    base::Result<void> done = trace::phase(host_.recorder, "criu", [&] { return ask(facts); });
    if (done) return done;
    const std::string& log = options_.work_path.empty() ? options_.image_path : options_.work_path;
    for (const std::string& line : checkpoint::quote_log(log + "/dump.log")) warn(host_, line);
    return done;
  }

 private:
  base::Result<checkpoint::DumpFacts> gather() {
    checkpoint::DumpFacts out;
    out.pid = record_.init->pid;
    out.root = record_.rootfs;
    out.cgroup = record_.cgroup;
    out.stdio = record_.stdio;
    out.namespaces = TRY(namespace_inodes(out.pid));
    const rootfs::RootfsPlan plan = TRY(plan_root(host_, spec_, entry_, record_));
    out.outside = checkpoint::outside_mounts(plan);
    TRY(checkpoint::resolve_keys(plan.root, out.outside));
    out.masked = TRY(checkpoint::find_masked_files(out.pid, plan.masked_paths));
    return out;
  }

  base::Result<void> ask(const checkpoint::DumpFacts& facts) {
    const auto type =
        options_.pre_dump ? checkpoint::RequestType::PreDump : checkpoint::RequestType::Dump;
    checkpoint::Criu criu = TRY(checkpoint::Criu::start(false, {}));
    static_cast<void>(TRY(criu.ask(
        checkpoint::encode_request(type, checkpoint::plan_dump(options_, spec_, facts)),
        [this](const checkpoint::Response& response, base::UniqueFd) { return note(response); })));
    return {};
  }

  base::Result<void> note(const checkpoint::Response& response) {
    if (response.script != "status-ready" || options_.status_fd < 0) return {};
    TRY(base::write_all(options_.status_fd, std::string_view("\0", 1), "status-fd"));
    ::close(options_.status_fd);
    return {};
  }

  const Host& host_;
  const checkpoint::Options& options_;
  const state::Entry& entry_;
  const state::Record& record_;
  oci::Spec& spec_;
};

}  // namespace

base::Result<void> checkpoint(const Host& host, std::string_view id,
                              const checkpoint::Options& options) {
  state::Entry entry = TRY(host.store.lock(id, kPatience));
  const state::Record record = TRY(entry.load());
  const oci::Status status = state::status_of(record);
  TRY(check_state(record, status));
  const std::string config = TRY(entry.load_config());
  oci::Spec spec = TRY(oci::parse_spec(config));
  base::Result<void> done = Dumper(host, options, entry, record, spec).dump();
  if (!done) {
    // A criu that died has not thawed what it froze.
    if (status == oci::Status::Running) static_cast<void>(cgroup::Cgroup(record.cgroup).thaw());
    return done;
  }
  if (options.leave_running || options.pre_dump) return {};
  const base::Result<void> removed = discard(host, entry, record, &spec);
  // The images are good all the same.
  if (!removed) warn(host, removed.error().message());
  return {};
}

}  // namespace runtime::container
