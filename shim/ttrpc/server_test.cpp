// The server and the client against each other, through a socket in a directory.
#include "shim/ttrpc/server.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "base/temp_dir.hpp"
#include "shim/ttrpc/client.hpp"

namespace shim::ttrpc {
namespace {

base::UniqueFd listen_at(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.data(), path.size());
  base::UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // Safety: the sockets API takes every kind of address as a sockaddr.
  const auto* address = reinterpret_cast<const sockaddr*>(&name);
  if (::bind(listener.get(), address, sizeof(name)) != 0 || ::listen(listener.get(), 16) != 0) {
    std::abort();
  }
  return listener;
}

class ServerTest : public testing::Test {
 protected:
  explicit ServerTest(const ServerLimits& limits = {})
      : path_(directory_.path() / "s"), server_(*Server::make(listen_at(path_), limits)) {}

  bool server_is_ready() const {
    pollfd waiting{server_.fd(), POLLIN, 0};
    return ::poll(&waiting, 1, 0) == 1;
  }
  std::vector<Call> serve() {
    std::vector<Call> out;
    while (server_is_ready()) {
      auto calls = server_.ready();
      if (!calls) std::abort();
      for (Call& call : *calls) out.push_back(std::move(call));
    }
    return out;
  }

  base::TempDir directory_;
  std::string path_;
  Server server_;
};

TEST_F(ServerTest, CallsOfTwoClientsGoBackToTheirOwn) {
  Client one = *Client::connect(path_);
  Client two = *Client::connect("unix://" + path_);
  ASSERT_EQ(one.call({"s", "one", {}, 0, {}}), 1U);
  ASSERT_EQ(two.call({"s", "two", {}, 0, {}}), 1U);
  const auto calls = serve();
  ASSERT_EQ(calls.size(), 2U);
  for (const Call& call : calls) server_.respond(call.from, "for " + call.request.method);
  EXPECT_EQ(one.on_readable()->at(0).payload, "for one");
  EXPECT_EQ(two.on_readable()->at(0).payload, "for two");
  EXPECT_EQ(one.open_calls(), 0U);
}

TEST_F(ServerTest, TheClientSeesStatusAndStream) {
  Client client = *Client::connect(path_);
  ASSERT_EQ(client.call({"s", "Wait", {}, 0, {}}), 1U);
  ASSERT_EQ(client.call({"s", "State", {}, 0, {}}), 3U);
  const auto calls = serve();
  ASSERT_EQ(calls.size(), 2U);
  server_.respond(calls[1].from, unknown_method("State"));
  auto answers = client.on_readable();
  ASSERT_TRUE(answers);
  ASSERT_EQ(answers->size(), 1U);
  EXPECT_EQ(answers->at(0).stream_id, 3U);
  EXPECT_EQ(answers->at(0).status, (Status{Code::Unimplemented, "method State"}));
  EXPECT_EQ(client.open_calls(), 1U);
}

TEST_F(ServerTest, AConnectionThatIsGoneIsForgottenThoughAForkedProcessHasACopy) {
  auto client = Client::connect(path_);
  ASSERT_TRUE(client->call({"s", "Wait", {}, 0, {}}));
  ASSERT_EQ(serve().size(), 1U);
  const pid_t copy = ::fork();
  client = base::fail(base::ErrorKind::Internal, "gone");  // in both
  if (copy == 0) {
    ::raise(SIGSTOP);
    ::_exit(0);
  }
  ::waitpid(copy, nullptr, WUNTRACED);
  auto calls = server_.ready();
  ASSERT_TRUE(calls);
  EXPECT_EQ(server_.connections(), 0U);
  EXPECT_FALSE(server_is_ready());
  ::kill(copy, SIGKILL);
  ::waitpid(copy, nullptr, 0);
}

TEST_F(ServerTest, AConnectionThatIsGoneIsForgottenAndItsAnswersAreDropped) {
  auto client = Client::connect(path_);
  ASSERT_TRUE(client->call({"s", "Wait", {}, 0, {}}));
  const auto calls = serve();
  ASSERT_EQ(calls.size(), 1U);
  client = base::fail(base::ErrorKind::Internal, "closed");
  EXPECT_TRUE(serve().empty());
  EXPECT_EQ(server_.connections(), 0U);
  server_.respond(calls[0].from, "nobody");
  EXPECT_FALSE(server_is_ready()) << "the loop would spin";
}

TEST_F(ServerTest, ARequestSentJustBeforeTheCloseIsStillServed) {
  {
    Client client = *Client::connect(path_);
    ASSERT_TRUE(client.call({"s", "Shutdown", {}, 0, {}}));
  }
  EXPECT_EQ(serve().size(), 1U);
  EXPECT_EQ(server_.connections(), 0U);
}

TEST_F(ServerTest, AHalfClosedPeerWithAnOpenStreamDoesNotWakeTheLoop) {
  Client client = *Client::connect(path_);
  ASSERT_TRUE(client.call({"s", "Wait", {}, 0, {}}));
  ASSERT_EQ(::shutdown(client.fd(), SHUT_WR), 0);
  const auto calls = serve();
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_FALSE(server_is_ready());
  server_.respond(calls[0].from, "exit");
  EXPECT_EQ(client.on_readable()->at(0).payload, "exit");
  EXPECT_EQ(server_.connections(), 0U);
}

TEST_F(ServerTest, LargeAnswersLeaveWhenThePeerReads) {
  Client client = *Client::connect(path_);
  ASSERT_TRUE(client.call({"s", "Pids", {}, 0, {}}));
  const std::string large(std::size_t{3} << 20, 'x');
  server_.respond(serve().at(0).from, large);
  EXPECT_FALSE(server_.is_flushed());
  std::vector<Answer> got;
  while (got.empty()) {
    got = *client.on_readable();
    serve();
  }
  EXPECT_EQ(got[0].payload, large);
  EXPECT_TRUE(server_.is_flushed());
}

TEST_F(ServerTest, FlushGivesUpOnAPeerThatDoesNotRead) {
  Client client = *Client::connect(path_);
  ASSERT_TRUE(client.call({"s", "Pids", {}, 0, {}}));
  server_.respond(serve().at(0).from, std::string(std::size_t{3} << 20, 'x'));
  server_.flush(20);
  EXPECT_FALSE(server_.is_flushed());
}

TEST_F(ServerTest, AClientLearnsThatItsServerIsGone) {
  Client client = *Client::connect(path_);
  serve();
  ASSERT_TRUE(client.call({"s", "m", {}, 0, {}}));
  {
    const Server gone = std::move(server_);
  }
  EXPECT_FALSE(client.on_readable());
}

TEST_F(ServerTest, AfterStopListeningOldConnectionsGoOn) {
  Client client = *Client::connect(path_);
  serve();
  server_.stop_listening();
  EXPECT_FALSE(Client::connect(path_));
  ASSERT_TRUE(client.call({"s", "m", {}, 0, {}}));
  EXPECT_EQ(serve().size(), 1U);
}

TEST_F(ServerTest, PeersOfOtherUsersAreClosed) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  if (::chmod(directory_.path().c_str(), 0755) != 0 || ::chmod(path_.c_str(), 0666) != 0) {
    FAIL() << "chmod";
  }
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setegid(65534) != 0 || ::seteuid(65534) != 0) ::_exit(2);
    auto client = Client::connect(path_);
    if (!client) ::_exit(3);
    pollfd waiting{client->fd(), POLLIN, 0};
    ::poll(&waiting, 1, 5000);
    ::_exit(client->on_readable() ? 4 : 0);
  }
  int status = -1;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    EXPECT_TRUE(serve().empty());
    ::usleep(1000);
  }
  EXPECT_EQ(status, 0);
  EXPECT_EQ(server_.connections(), 0U);
}

class SmallServer : public ServerTest {
 protected:
  SmallServer() : ServerTest({.connections = 2, .connection = {}}) {}
};

TEST_F(SmallServer, ConnectionsAreCounted) {
  const Client one = *Client::connect(path_);
  const Client two = *Client::connect(path_);
  Client three = *Client::connect(path_);
  serve();
  EXPECT_EQ(server_.connections(), 2U);
  EXPECT_FALSE(three.on_readable());
}

TEST(Client, ANameThatDoesNotFitIsRefused) {
  EXPECT_FALSE(Client::connect(""));
  EXPECT_FALSE(Client::connect("unix://" + std::string(108, 'x')));
}

}  // namespace
}  // namespace shim::ttrpc
