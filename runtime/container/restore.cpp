// restore: a container from what checkpoint saved. criu makes the processes, their namespaces and
// mounts; this makes everything around them, as create does.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "base/file.hpp"
#include "runtime/checkpoint/criu.hpp"
#include "runtime/checkpoint/log_quote.hpp"
#include "runtime/checkpoint/mount_points.hpp"
#include "runtime/checkpoint/plan.hpp"
#include "runtime/checkpoint/stdio.hpp"
#include "runtime/container/cgroups.hpp"
#include "runtime/container/creating.hpp"
#include "runtime/container/notify.hpp"
#include "runtime/hooks/hooks.hpp"
#include "runtime/process/terminal.hpp"
#include "runtime/state/process_id.hpp"
#include "runtime/state/status.hpp"

namespace runtime::container {
namespace {

constexpr std::size_t kMaxDescriptorsFile = std::size_t{64} << 10;
constexpr std::size_t kMaxCgroupFile = std::size_t{64} << 10;

/// The order of its members is the order of the effects; undo() takes them back.
class Restorer {
 public:
  Restorer(const Host& host, const RestoreOptions& options, Bundle bundle, state::Entry entry)
      : host_(host), options_(options), bundle_(std::move(bundle)), entry_(std::move(entry)) {}

  base::Result<void> restore() {
    TRY(read_images());
    TRY(trace::phase(host_.recorder, "intent", [this] { return record_intent(); }));
    TRY(trace::phase(host_.recorder, "root", [this] { return prepare_root(); }));
    base::Result<void> done = trace::phase(host_.recorder, "criu", [this] { return ask(); });
    if (!done) {
      const checkpoint::Options& criu = options_.criu;
      const std::string& log = criu.work_path.empty() ? criu.image_path : criu.work_path;
      for (const std::string& line : checkpoint::quote_log(log + "/restore.log")) warn(host_, line);
      return done;
    }
    TRY(release_root());
    if (!options_.create.pid_file.empty()) {
      TRY(base::write_atomic(options_.create.pid_file, std::to_string(record_.init->pid), 0644));
    }
    record_.phase = state::Phase::Started;
    return entry_.save(record_);
  }

  /// After a failure.
  void undo() {
    static_cast<void>(discard(host_, entry_, record_, record_.init ? &bundle_.spec : nullptr));
  }

  Attended take() {
    return {record_.id, std::move(bundle_.spec), record_.init->pid, std::move(master_), false};
  }

 private:
  const oci::Spec& spec() const { return bundle_.spec; }

  base::Result<void> read_images() {
    TRY(checkpoint::check_version());
    const std::string& path = options_.criu.image_path;
    images_ = TRY(base::with_context(base::open_file(path, O_RDONLY | O_DIRECTORY), "image path"));
    if (!options_.criu.work_path.empty()) {
      TRY(base::make_directories(options_.criu.work_path, 0700));
      work_ = TRY(base::open_file(options_.criu.work_path, O_RDONLY | O_DIRECTORY));
    }
    const std::string file = path + '/' + checkpoint::kDescriptorsFile;
    const std::string text =
        TRY(base::with_context(base::read_file(file, kMaxDescriptorsFile), "no checkpoint"));
    stdio_ = TRY(base::with_context(checkpoint::parse_descriptors(text), file));
    return {};
  }

  base::Result<void> record_intent() {
    record_ = TRY(new_record(bundle_, options_.create.id));
    if (!host_.notify_socket.empty()) {
      TRY(prepare_notify(bundle_.spec, entry_.notify_directory()));
    }
    rootfs_ = TRY(rootfs::plan_rootfs(spec(), bundle_.path));
    record_.rootfs = rootfs_.root;
    record_.mounts = {entry_.restore_root()};
    TRY(cgroups_.place());
    cgroups_.show_in(rootfs_);
    TRY(entry_.save(record_));
    return entry_.save_config(bundle_.config);
  }

  base::Result<void> prepare_root() {
    TRY(base::with_context(checkpoint::make_mount_points(rootfs_), "make mount points"));
    const std::string place = entry_.restore_root();
    if (::mkdir(place.c_str(), 0755) != 0) return base::fail_errno("mkdir", place);
    return checkpoint::mount_root(rootfs_.root, place);
  }

  base::Result<void> release_root() {
    const std::string place = entry_.restore_root();
    if (::umount2(place.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) {
      return base::fail_errno("umount2", place);
    }
    if (::rmdir(place.c_str()) != 0) return base::fail_errno("rmdir", place);
    record_.mounts.clear();
    return {};
  }

  base::Result<checkpoint::RestoreFacts> gather() {
    checkpoint::RestoreFacts out;
    out.root = entry_.restore_root();
    out.images_directory = images_.get();
    out.work_directory = work_.get();
    out.outside = checkpoint::outside_mounts(rootfs_);
    TRY(checkpoint::resolve_keys(rootfs_.root, out.outside));
    out.stdio = stdio_;
    return out;
  }

  base::Result<void> ask() {
    checkpoint::RestoreFacts facts = TRY(gather());
    std::vector<base::UniqueFd> passed;
    std::vector<int> numbers;
    const auto outside = TRY(checkpoint::outside_namespaces(spec()));
    for (const checkpoint::OutsideNamespace& each : outside) {
      passed.push_back(TRY(
          base::with_context(base::open_file(each.path, O_RDONLY), "open namespace " + each.name)));
      numbers.push_back(passed.back().get());
      facts.passed.push_back(each.key);
    }
    if (!cgroups_.has_unit()) TRY(cgroups_.make());
    checkpoint::Criu criu = TRY(checkpoint::Criu::start(true, numbers));
    TRY(cgroups_.enter(criu.pid(), false));
    facts.cgroup_roots = TRY(roots_of(criu.pid()));
    static_cast<void>(TRY(
        criu.ask(checkpoint::encode_request(checkpoint::RequestType::Restore,
                                            checkpoint::plan_restore(options_.criu, spec(), facts)),
                 [this](const checkpoint::Response& response, base::UniqueFd descriptor) {
                   return note(response, std::move(descriptor));
                 })));
    if (!record_.init) return base::fail(base::ErrorKind::Internal, "criu restored no process");
    return {};
  }

  static base::Result<std::vector<checkpoint::Pair>> roots_of(pid_t pid) {
    const std::string text =
        TRY(base::read_file("/proc/" + std::to_string(pid) + "/cgroup", kMaxCgroupFile));
    return checkpoint::parse_cgroup_roots(text);
  }

  base::Result<void> note(const checkpoint::Response& response, base::UniqueFd descriptor) {
    if (response.script == "setup-namespaces") {
      TRY(record_init(response.pid));
      return run_hooks();
    }
    if (response.script == "post-restore") return record_init(response.pid);
    if (response.script == "orphan-pts-master" && descriptor) {
      return take_terminal(std::move(descriptor));
    }
    return {};
  }

  base::Result<void> record_init(pid_t pid) {
    record_.init = TRY(state::identify(pid));
    return entry_.save(record_);
  }

  base::Result<void> run_hooks() {
    const std::string state = oci::to_json(state::to_oci_state(record_, oci::Status::Creating));
    TRY(hooks::run("prestart", spec().hooks.prestart, state));
    return hooks::run("createRuntime", spec().hooks.create_runtime, state);
  }

  base::Result<void> take_terminal(base::UniqueFd master) {
    const CreateOptions& options = options_.create;
    if (options.take_terminal) return options.take_terminal(std::move(master));
    if (options.console_socket.empty()) {
      master_ = std::move(master);
      return {};
    }
    return base::with_context(
        process::send_descriptor(options.console_socket, master.get(), "/dev/ptmx"),
        "console socket");
  }

  const Host& host_;
  const RestoreOptions& options_;
  Bundle bundle_;
  state::Entry entry_;
  state::Record record_;
  ContainerCgroups cgroups_{host_, bundle_.spec, entry_, record_};
  rootfs::RootfsPlan rootfs_;
  base::UniqueFd images_;
  base::UniqueFd work_;
  std::vector<std::string> stdio_;
  base::UniqueFd master_;
};

base::Result<Attended> make_restored(const Host& host, const RestoreOptions& options) {
  Bundle bundle = TRY(load_bundle(host, options.create.bundle));
  if (bundle.spec.linux.intel_rdt) {
    return base::fail(base::ErrorKind::Unsupported, "linux.intelRdt: not implemented for restore");
  }
  TRY(check_terminal(bundle.spec.process->terminal, options.detach,
                     !options.create.console_socket.empty() || options.create.take_terminal));
  state::Entry entry = TRY(host.store.claim(options.create.id));
  Restorer restorer(host, options, std::move(bundle), std::move(entry));
  base::Result<void> done = restorer.restore();
  if (done) return restorer.take();
  restorer.undo();
  return std::unexpected(std::move(done).error());
}

}  // namespace

base::Result<Restored> restore(const Host& host, const RestoreOptions& options) {
  std::optional<SignalForwarding> forwarding;
  if (!options.detach) {
    forwarding.emplace(TRY(SignalForwarding::begin()));
    if (!options.no_subreaper && ::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
      return base::fail_errno("prctl(PR_SET_CHILD_SUBREAPER)");
    }
  }
  Attended container = TRY(make_restored(host, options));
  if (options.detach) return Restored{container.pid, 0};
  const pid_t pid = container.pid;
  return Restored{pid, TRY(attend(host, std::move(container), *forwarding))};
}

}  // namespace runtime::container
