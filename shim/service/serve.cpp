#include "shim/service/serve.hpp"

#include <utility>

#include "shim/service/choose_runtime.hpp"
#include "shim/service/task_service.hpp"

namespace shim::service {
namespace {

constexpr int kFlushMs = 1000;

}  // namespace

base::Result<void> serve(base::UniqueFd listener, const ServeOptions& options) {
  loop::Loop loop = TRY(loop::Loop::make());
  const loop::Children children = TRY(loop::Children::make());
  loop::Operations operations(loop);
  ttrpc::Server server = TRY(ttrpc::Server::make(std::move(listener)));
  events::Publisher publisher(loop, options.events_address, options.name_space);
  TaskService service(
      loop, operations, server, publisher, options.name_space,
      [&](const protocol::RuncOptions& runc) { return choose_runtime(runc, options.name_space); });
  base::Result<void> failure;
  TRY(loop.watch(server.fd(), EPOLLIN, [&](std::uint32_t) {
    auto calls = server.ready();
    if (!calls) {
      failure = std::unexpected(std::move(calls).error());
      return loop.stop();
    }
    for (const ttrpc::Call& call : *calls) service.serve(call);
    if (service.is_finished()) loop.stop();
  }));
  TRY(loop.watch(children.fd(), EPOLLIN, [&](std::uint32_t) {
    const std::vector<loop::Exit> exits = children.reap();
    // A process that ended may be one that an operation has just made and told of.
    operations.collect();
    for (const loop::Exit& exit : exits) service.on_exit(exit);
  }));
  TRY(loop.run());
  server.flush(kFlushMs);
  publisher.flush(kFlushMs);
  return failure;
}

}  // namespace shim::service
