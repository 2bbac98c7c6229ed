#include "shim/events/publisher.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <thread>

#include "base/temp_dir.hpp"
#include "shim/ttrpc/server.hpp"

namespace shim::events {
namespace {

base::UniqueFd listen_at(const std::string& path) {
  base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  // Safety: the generic form of a socket address.
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(::listen(socket.get(), 4), 0);
  return socket;
}

/// A daemon that notes topics and ends the loop after the last.
struct Daemon {
  Daemon(loop::Loop& where, const std::string& path, std::size_t wanted)
      : server(ttrpc::Server::make(listen_at(path)).value()), loop(where) {
    EXPECT_TRUE(loop.watch(server.fd(), EPOLLIN, [this, wanted](std::uint32_t) {
      auto calls = server.ready();
      ASSERT_TRUE(calls);
      for (const ttrpc::Call& call : *calls) {
        const auto request = protocol::decode<protocol::ForwardRequest>(call.request.payload);
        ASSERT_TRUE(request && request->envelope);
        EXPECT_EQ(request->envelope->name_space, "k8s.io");
        EXPECT_TRUE(request->envelope->timestamp);
        topics.push_back(request->envelope->topic);
        server.respond(call.from, "");
      }
      if (topics.size() >= wanted) loop.stop();
    }));
  }
  ~Daemon() { loop.forget(server.fd()); }

  ttrpc::Server server;
  loop::Loop& loop;
  std::vector<std::string> topics;
};

TEST(Publisher, EventsThatWereMadeWhileTheDaemonWasAwayArriveInTheirOrder) {
  const base::TempDir directory;
  const std::string path = directory.path() / "events";
  loop::Loop loop = loop::Loop::make().value();
  Publisher publisher(loop, path, "k8s.io");
  publisher.publish(protocol::TaskStart{"c1", 7});
  publisher.publish(protocol::TaskOOM{"c1"});
  publisher.publish(protocol::TaskExit{"c1", "c1", 7, 137, protocol::Timestamp{1, 2}});
  EXPECT_EQ(publisher.queued(), 3U);
  const Daemon daemon(loop, path, 3);
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(daemon.topics, (std::vector<std::string>{"/tasks/start", "/tasks/oom", "/tasks/exit"}));
}

TEST(Publisher, ADaemonThatDoesNotAnswerIsConnectedToAgain) {
  const base::TempDir directory;
  const std::string path = directory.path() / "events";
  loop::Loop loop = loop::Loop::make().value();
  const base::UniqueFd deaf = listen_at(path);
  Publisher publisher(loop, path, "k8s.io", std::chrono::milliseconds(30));
  publisher.publish(protocol::TaskStart{"c1", 7});
  std::filesystem::remove(path);  // the next connection is to another daemon
  const Daemon daemon(loop, path, 1);
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(daemon.topics, (std::vector<std::string>{"/tasks/start"}));
}

TEST(Publisher, ADaemonThatShowsItselfIsNotWaitedFor) {
  const base::TempDir directory;
  const std::string path = directory.path() / "events";
  loop::Loop loop = loop::Loop::make().value();
  Publisher publisher(loop, path, "k8s.io");
  for (int failures = 0; failures < 7; ++failures) {
    publisher.publish(protocol::TaskOOM{"c1"});
    publisher.hurry();
  }
  const Daemon daemon(loop, path, 7);
  pollfd connected{daemon.server.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&connected, 1, 0), 0);
  publisher.hurry();
  EXPECT_EQ(::poll(&connected, 1, 0), 1);
  ASSERT_TRUE(loop.run());
}

TEST(Publisher, WithoutAnAddressNothingIsKept) {
  loop::Loop loop = loop::Loop::make().value();
  Publisher publisher(loop, "", "k8s.io");
  publisher.publish(protocol::TaskOOM{"c1"});
  EXPECT_EQ(publisher.queued(), 0U);
}

TEST(Publisher, FlushDeliversWhatWaitsBehindTheFirst) {
  const base::TempDir directory;
  const std::string path = directory.path() / "events";
  loop::Loop theirs = loop::Loop::make().value();
  const Daemon daemon(theirs, path, 3);
  loop::Loop ours = loop::Loop::make().value();
  Publisher publisher(ours, path, "k8s.io");
  publisher.publish(protocol::TaskStart{"c1", 7});
  publisher.publish(protocol::TaskExit{"c1", "c1", 7, 137, protocol::Timestamp{1, 2}});
  publisher.publish(protocol::TaskDelete{"c1", 7, 137, protocol::Timestamp{1, 2}, ""});
  std::thread other([&theirs] { EXPECT_TRUE(theirs.run()); });
  publisher.flush(5000);
  other.join();
  EXPECT_EQ(publisher.queued(), 0U);
  EXPECT_EQ(daemon.topics.size(), 3U);
}

}  // namespace
}  // namespace shim::events
