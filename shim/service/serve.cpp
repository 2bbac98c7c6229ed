#include "shim/service/serve.hpp"

#include <poll.h>

#include <chrono>
#include <utility>

#include "shim/bootstrap/socket.hpp"
#include "shim/loop/timer.hpp"
#include "shim/service/choose_runtime.hpp"
#include "shim/service/sandbox_service.hpp"
#include "shim/service/task_service.hpp"

namespace shim::service {
namespace {

constexpr int kFlushMs = 1000;
constexpr std::chrono::milliseconds kLinger{200};

class Shim {
 public:
  Shim(loop::Loop& loop, const loop::Children& children, ttrpc::Server& server,
       const ServeOptions& options)
      : loop_(loop),
        children_(children),
        operations_(loop),
        server_(server),
        publisher_(loop, options.events_address, options.name_space),
        sandbox_(operations_, server,
                 [&options](const protocol::RuncOptions& runc) {
                   return choose_pause_runtime(runc, options.name_space);
                 }),
        tasks_(
            {loop, operations_, server, publisher_}, options.name_space,
            [&options](const protocol::RuncOptions& runc) {
              return choose_runtime(runc, options.name_space);
            },
            [this] { return sandbox_.files(); }),
        idle_(loop, [this] { end_of_idleness(); }),
        socket_(options.socket) {}

  base::Result<void> run() {
    TRY(loop_.watch(server_.fd(), EPOLLIN, [this](std::uint32_t) { on_server(); }));
    TRY(loop_.watch(children_.fd(), EPOLLIN, [this](std::uint32_t) { on_children(); }));
    look_for_idleness();
    TRY(loop_.run());
    // Whoever asked while the last answers were on their way.
    static_cast<void>(take_calls());
    server_.flush(kFlushMs);
    publisher_.flush(kFlushMs);
    linger();
    if (!is_retired_) TRY(retire([] { return false; }));
    static_cast<void>(bootstrap::sweep_sockets(socket_));
    return std::move(failure_);
  }

 private:
  void on_server() {
    const std::size_t before = server_.connections();
    if (!take_calls()) return loop_.stop();
    if (server_.connections() > before) publisher_.hurry();
    if (is_finished()) return loop_.stop();
    look_for_idleness();
  }

  bool take_calls() {
    auto calls = server_.ready();
    if (!calls) {
      failure_ = std::unexpected(std::move(calls).error());
      return false;
    }
    for (const ttrpc::Call& call : *calls) serve_one(call);
    return true;
  }

  /// Until the peers have closed, or a while: a client of Go's ttrpc that sees the end of the
  /// connection before it has looked at its last answer takes that for lost.
  void linger() {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + kLinger;
    while (server_.connections() > 0) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
      pollfd state{server_.fd(), POLLIN, 0};
      if (left.count() <= 0 || ::poll(&state, 1, static_cast<int>(left.count())) <= 0) return;
      if (!take_calls()) return;
    }
  }

  void serve_one(const ttrpc::Call& call) {
    const auto service = protocol::find_service(call.request.service);
    if (!service) return server_.respond(call.from, ttrpc::unknown_service(call.request.service));
    if (*service == protocol::Service::SandboxV1) return sandbox_.serve(call);
    tasks_.serve(call, *service);
  }

  void on_children() {
    const std::vector<loop::Exit> exits = children_.reap();
    // A process that ended may be one that an operation has just made and told of.
    operations_.collect();
    for (const loop::Exit& exit : exits) {
      tasks_.on_exit(exit);
      sandbox_.on_exit(exit);
    }
    if (is_finished()) return loop_.stop();
    look_for_idleness();
  }

  /// Somebody has asked for it and nothing is left, nor anybody who waits for an answer.
  bool is_finished() const {
    return (tasks_.is_finished() || sandbox_.is_finished()) && tasks_.is_empty() &&
           sandbox_.is_empty() && operations_.size() == 0;
  }

  /// Nobody is connected, nothing runs.
  bool may_be_idle() const {
    return server_.connections() == 0 && !tasks_.has_live() && !sandbox_.has_live() &&
           operations_.size() == 0;
  }

  bool is_idle() const { return may_be_idle() && tasks_.is_forgotten() && sandbox_.is_forgotten(); }

  void look_for_idleness() {
    if (!may_be_idle()) return idle_.disarm();
    // Without a timer it stays, which is no worse than before.
    if (!idle_.is_armed()) static_cast<void>(idle_.arm(kIdlePatience));
  }

  void end_of_idleness() {
    // Somebody may have connected just now.
    const auto is_wanted = [this] { return !take_calls() || !is_idle(); };
    if (is_idle() && retire(is_wanted) && is_retired_) return loop_.stop();
    // What has ended waits for a daemon that asks, or for its bundle to go.
    look_for_idleness();
  }

  base::Result<void> retire(const std::function<bool()>& is_wanted) {
    is_retired_ = TRY(bootstrap::retire_socket(socket_, is_wanted));
    return {};
  }

  loop::Loop& loop_;
  const loop::Children& children_;
  loop::Operations operations_;
  ttrpc::Server& server_;
  events::Publisher publisher_;
  SandboxService sandbox_;
  TaskService tasks_;
  loop::Timer idle_;
  std::string socket_;
  bool is_retired_ = false;
  base::Result<void> failure_;
};

}  // namespace

base::Result<void> serve(base::UniqueFd listener, const ServeOptions& options) {
  loop::Loop loop = TRY(loop::Loop::make());
  const loop::Children children = TRY(loop::Children::make());
  ttrpc::Server server = TRY(ttrpc::Server::make(std::move(listener)));
  return Shim(loop, children, server, options).run();
}

}  // namespace shim::service
