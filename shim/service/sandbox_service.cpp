#include "shim/service/sandbox_service.hpp"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/file.hpp"
#include "oci/write.hpp"
#include "shim/events/metrics.hpp"
#include "shim/service/bundle_notes.hpp"
#include "shim/service/runtime_calls.hpp"
#include "shim/service/sandbox_spec.hpp"

namespace shim::service {
namespace {

using protocol::Code;
using protocol::NamespaceMode;

constexpr std::size_t kMaxSpec = std::size_t{1} << 20;

#if defined(__x86_64__)
constexpr char kArchitecture[] = "amd64";
#elif defined(__aarch64__)
constexpr char kArchitecture[] = "arm64";
#endif

/// The one that the pod's network namespace was made in: what is to act on the network must be of
/// it. Empty for a pod without one.
base::Result<base::UniqueFd> open_user_namespace(const protocol::CreateSandboxRequest& request,
                                                 const protocol::PodSandboxConfig& config) {
  const auto& options = namespaces_of(config).userns_options;
  if (!options || options->mode != NamespaceMode::Pod) return base::UniqueFd();
  const base::UniqueFd network = TRY(base::open_file(request.netns_path, O_RDONLY));
  base::UniqueFd user(::ioctl(network.get(), NS_GET_USERNS));
  if (!user) return base::fail_errno("ioctl(NS_GET_USERNS)", request.netns_path);
  return user;
}

/// In the operation's process, whose standard streams are the null device.
base::Result<pid_t> create_in(const Runtime& runtime, const PodFiles& files,
                              const protocol::CreateSandboxRequest& request,
                              const protocol::PodSandboxConfig& config) {
  TRY(make_pod_files(files, config));
  const base::UniqueFd user = TRY(open_user_namespace(request, config));
  const std::string path = user ? "/proc/self/fd/" + std::to_string(user.get()) : std::string();
  TRY(base::write_atomic(request.bundle_path + "/config.json",
                         oci::to_json(sandbox_spec(request, config, path)), 0600));
  TRY(base::make_directories(std::string(kPauseRoot) + "/dev", 0755));
  const StartedProcess started =
      TRY(runtime.create({request.sandbox_id, request.bundle_path, false}));
  static_cast<void>(remember_init(request.bundle_path, started.pid));
  return started.pid;
}

}  // namespace

struct SandboxService::Row {
  protocol::Method method;
  void (SandboxService::*call)(Key, std::string_view payload);
};

template <typename Request, void (SandboxService::*Method)(SandboxService::Key, const Request&)>
void SandboxService::decode_and_call(Key from, std::string_view payload) {
  const base::Result<Request> request = protocol::decode<Request>(payload);
  if (!request) return refuse(from, Code::InvalidArgument, request.error().message());
  (this->*Method)(from, *request);
}

void SandboxService::serve(const ttrpc::Call& call) {
  using Self = SandboxService;
  using protocol::Method;
  static constexpr Row kRows[] = {
      {Method::SandboxCreateSandbox,
       &Self::decode_and_call<protocol::CreateSandboxRequest, &Self::create>},
      {Method::SandboxStartSandbox,
       &Self::decode_and_call<protocol::StartSandboxRequest, &Self::start>},
      {Method::SandboxPlatform, &Self::decode_and_call<protocol::PlatformRequest, &Self::platform>},
      {Method::SandboxStopSandbox,
       &Self::decode_and_call<protocol::StopSandboxRequest, &Self::stop>},
      {Method::SandboxWaitSandbox,
       &Self::decode_and_call<protocol::WaitSandboxRequest, &Self::wait>},
      {Method::SandboxSandboxStatus,
       &Self::decode_and_call<protocol::SandboxStatusRequest, &Self::status>},
      {Method::SandboxPingSandbox, &Self::decode_and_call<protocol::PingRequest, &Self::ping>},
      {Method::SandboxShutdownSandbox,
       &Self::decode_and_call<protocol::ShutdownSandboxRequest, &Self::shutdown>},
      {Method::SandboxUpdateSandbox,
       &Self::decode_and_call<protocol::UpdateSandboxRequest, &Self::update>},
      {Method::SandboxSandboxMetrics,
       &Self::decode_and_call<protocol::SandboxMetricsRequest, &Self::metrics>},
  };
  const auto method = protocol::find_method(protocol::Service::SandboxV1, call.request.method);
  for (const Row& row : kRows) {
    if (method == row.method) return (this->*row.call)(call.from, call.request.payload);
  }
  server_.respond(call.from, ttrpc::unknown_method(call.request.method));
}

SandboxService::Shared SandboxService::find(Key from, const std::string& id) {
  if (sandbox_ && sandbox_->is_created && sandbox_->id == id) return sandbox_;
  refuse(from, Code::NotFound, "sandbox " + id + ": not found");
  return nullptr;
}

std::optional<PodFiles> SandboxService::files() const {
  if (!sandbox_) return std::nullopt;
  return sandbox_->files;
}

bool SandboxService::is_forgotten() const {
  return !sandbox_ || (!has_live() && ::access(sandbox_->bundle.c_str(), F_OK) != 0);
}

void SandboxService::create(Key from, const protocol::CreateSandboxRequest& request) {
  if (sandbox_) {
    return refuse(from, Code::AlreadyExists, "sandbox " + sandbox_->id + ": already exists");
  }
  protocol::PodSandboxConfig config;
  if (request.options && request.options->holds(protocol::PodSandboxConfig::kTypeName)) {
    auto read = protocol::unpack<protocol::PodSandboxConfig>(*request.options);
    if (!read) return refuse(from, Code::InvalidArgument, read.error().message());
    config = std::move(*read);
  }
  const auto& user = namespaces_of(config).userns_options;
  if (user && user->mode != NamespaceMode::Pod && user->mode != NamespaceMode::Node) {
    return refuse(from, Code::InvalidArgument, "a user namespace is the pod's or the node's");
  }
  // Those of `start`: this call has none of the handler's.
  auto runtime = choose_runtime_(recall_options(request.bundle_path));
  if (!runtime) return refuse(from, runtime.error());
  const Shared sandbox = std::make_shared<Sandbox>();
  sandbox->id = request.sandbox_id;
  sandbox->runtime = std::move(*runtime);
  sandbox->bundle = request.bundle_path;
  sandbox->files = {kPodsDirectory + request.sandbox_id,
                    namespaces_of(config).ipc == NamespaceMode::Pod};
  sandbox_ = sandbox;
  is_finished_ = false;
  operations_.begin(
      [sandbox, request, config]() -> base::Result<loop::Outcome> {
        auto pid = create_in(*sandbox->runtime, sandbox->files, request, config);
        if (pid) return loop::Outcome{std::to_string(*pid), {}};
        static_cast<void>(remove_pod_files(sandbox->id));
        return std::unexpected(std::move(pid).error());
      },
      [this, from, sandbox](base::Result<loop::Outcome> outcome) {
        if (const auto created = on_created(*sandbox, std::move(outcome)); !created) {
          sandbox_.reset();
          return refuse(from, created.error());
        }
        answer(from, protocol::CreateSandboxResponse{});
      });
}

base::Result<void> SandboxService::on_created(Sandbox& sandbox,
                                              base::Result<loop::Outcome> outcome) {
  if (!outcome) return std::unexpected(std::move(outcome).error());
  sandbox.pid = TRY(parse_started(*outcome));
  // Without it only metrics are lost.
  auto cgroup = sandbox.runtime->cgroup(sandbox.id, sandbox.pid);
  if (cgroup) sandbox.cgroup = std::move(*cgroup);
  sandbox.created_at = protocol::now();
  sandbox.is_created = true;
  return {};
}

void SandboxService::start(Key from, const protocol::StartSandboxRequest& request) {
  const Shared sandbox = find(from, request.sandbox_id);
  if (!sandbox) return;
  operations_.begin(
      [sandbox]() -> base::Result<loop::Outcome> {
        TRY(sandbox->runtime->start(sandbox->id));
        return loop::Outcome{};
      },
      [this, from, sandbox](const base::Result<loop::Outcome>& outcome) {
        if (!outcome) return refuse(from, outcome.error());
        sandbox->is_started = true;
        protocol::StartSandboxResponse out;
        out.pid = static_cast<std::uint32_t>(sandbox->pid);
        out.created_at = sandbox->created_at;
        // Plug-ins of containerd (NRI) look at it.
        auto spec = base::read_file(sandbox->bundle + "/config.json", kMaxSpec);
        if (spec) out.spec = protocol::Any{protocol::kSpecType, std::move(*spec)};
        answer(from, out);
      });
}

void SandboxService::platform(Key from, const protocol::PlatformRequest&) {
  answer(from, protocol::PlatformResponse{protocol::Platform{"linux", kArchitecture, "", ""}});
}

void SandboxService::stop(Key from, const protocol::StopSandboxRequest& request) {
  const Shared sandbox = find(from, request.sandbox_id);
  if (!sandbox) return;
  if (sandbox->exited_at) return answer(from, protocol::StopSandboxResponse{});
  // It has nothing to end in peace. Not reaped yet, so the number is its own.
  ::kill(sandbox->pid, SIGKILL);
  sandbox->stoppers.push_back(from);
}

void SandboxService::on_exit(const loop::Exit& exit) {
  if (!sandbox_ || sandbox_->pid != exit.pid || sandbox_->exited_at) return;
  sandbox_->exit_status = exit.status;
  sandbox_->exited_at = protocol::now();
  for (const Key key : std::exchange(sandbox_->stoppers, {})) {
    answer(key, protocol::StopSandboxResponse{});
  }
  for (const Key key : std::exchange(sandbox_->waiters, {})) {
    answer(key, protocol::WaitSandboxResponse{sandbox_->exit_status, sandbox_->exited_at});
  }
}

void SandboxService::wait(Key from, const protocol::WaitSandboxRequest& request) {
  const Shared sandbox = find(from, request.sandbox_id);
  if (!sandbox) return;
  if (!sandbox->exited_at) return sandbox->waiters.push_back(from);
  answer(from, protocol::WaitSandboxResponse{sandbox->exit_status, sandbox->exited_at});
}

void SandboxService::status(Key from, const protocol::SandboxStatusRequest& request) {
  const Shared sandbox = find(from, request.sandbox_id);
  if (!sandbox) return;
  protocol::SandboxStatusResponse out;
  out.sandbox_id = sandbox->id;
  out.pid = static_cast<std::uint32_t>(sandbox->pid);
  out.state = sandbox->is_ready() ? "SANDBOX_READY" : "SANDBOX_NOTREADY";
  out.created_at = sandbox->created_at;
  out.exited_at = sandbox->exited_at;
  answer(from, out);
}

void SandboxService::ping(Key from, const protocol::PingRequest& request) {
  if (find(from, request.sandbox_id)) answer(from, protocol::PingResponse{});
}

void SandboxService::update(Key from, const protocol::UpdateSandboxRequest& request) {
  // New limits of the pod, as the kubelet resizes it: they are its parent cgroup's, which the
  // kubelet sets itself; the holder has none.
  if (find(from, request.sandbox_id)) answer(from, protocol::UpdateSandboxResponse{});
}

void SandboxService::shutdown(Key from, const protocol::ShutdownSandboxRequest&) {
  // Also of a sandbox that could not be created: containerd ends the shim with this.
  if (!sandbox_) {
    is_finished_ = true;
    return answer(from, protocol::ShutdownSandboxResponse{});
  }
  const Shared sandbox = sandbox_;
  sandbox->removers.push_back(from);
  if (sandbox->removers.size() > 1) return;
  operations_.begin(
      [sandbox]() -> base::Result<loop::Outcome> {
        TRY(service::remove(*sandbox->runtime, sandbox->id, sandbox->bundle));
        return loop::Outcome{};
      },
      [this, sandbox](const base::Result<loop::Outcome>& outcome) {
        const std::vector<Key> removers = std::exchange(sandbox->removers, {});
        if (!outcome) {
          for (const Key key : removers) refuse(key, outcome.error());
          return;
        }
        for (const Key key : sandbox->waiters) {
          answer(key, protocol::WaitSandboxResponse{128 + SIGKILL, protocol::now()});
        }
        sandbox_.reset();
        is_finished_ = true;
        for (const Key key : removers) answer(key, protocol::ShutdownSandboxResponse{});
      });
}

void SandboxService::metrics(Key from, const protocol::SandboxMetricsRequest& request) {
  const Shared sandbox = find(from, request.sandbox_id);
  if (!sandbox) return;
  answer(from, protocol::SandboxMetricsResponse{protocol::Metric{
                   protocol::now(), sandbox->id, events::read_metrics(sandbox->cgroup)}});
}

}  // namespace shim::service
