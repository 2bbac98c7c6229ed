// Against a peer of our own, which answers with whatever the test says.
#include "runtime/dbus/connection.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <thread>

#include "base/file.hpp"
#include "base/temp_dir.hpp"
#include "runtime/dbus/wire.hpp"

namespace runtime::dbus {
namespace {

using namespace std::chrono_literals;

class ConnectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = directory_.path() / "socket";
    listener_ = base::UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    // Safety: the sockets API takes every address family as a sockaddr.
    ASSERT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ASSERT_EQ(::listen(listener_.get(), 1), 0);
  }

  void TearDown() override {
    if (peer_.joinable()) peer_.join();
  }

  // The peer sends `greeting` after our first bytes, `answers` after the next ones, and hangs up.
  void answer(std::string greeting, std::string answers) {
    peer_ = std::thread([this, greeting = std::move(greeting), answers = std::move(answers)] {
      const base::UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      char bytes[4096];
      seen_.append(bytes, static_cast<std::size_t>(
                              std::max<ssize_t>(::recv(client.get(), bytes, sizeof(bytes), 0), 0)));
      first_ = seen_;
      ::send(client.get(), greeting.data(), greeting.size(), MSG_NOSIGNAL);
      // "BEGIN" may come with the call or before it.
      while (seen_.find("Member") == std::string::npos) {
        const ssize_t got = ::recv(client.get(), bytes, sizeof(bytes), 0);
        if (got <= 0) return;
        seen_.append(bytes, static_cast<std::size_t>(got));
      }
      ::send(client.get(), answers.data(), answers.size(), MSG_NOSIGNAL);
    });
  }

  base::Result<Connection> open() {
    return Connection::open({path_, false}, "x", Clock::now() + 5s);
  }

  base::Result<Message> call(Connection& connection) {
    Message message;
    message.path = "/a";
    message.member = "Member";
    return connection.call(message, Clock::now() + 5s);
  }

  base::TempDir directory_;
  std::string path_;
  base::UniqueFd listener_;
  std::thread peer_;
  std::string seen_;
  std::string first_;  ///< what came before the greeting
};

Message reply_to(std::uint32_t serial) {
  Message out;
  out.type = MessageType::Reply;
  out.serial = 9;
  out.reply_to = serial;
  return out;
}

Message signal(const std::string& member) {
  Message out;
  out.type = MessageType::Signal;
  out.serial = 8;
  out.path = "/a";
  out.interface = "b.c";
  out.member = member;
  return out;
}

TEST_F(ConnectionTest, LogsInWithoutNamingAUser) {
  answer("DATA\r\nOK 1234\r\n", encode(reply_to(1)));
  auto connection = open();
  ASSERT_TRUE(connection) << connection.error().message();
  EXPECT_TRUE(call(*connection));
  peer_.join();
  EXPECT_TRUE(seen_.starts_with(std::string("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n", 29)));
}

// The peer of answer() greets after what it received first, which is what came before its greeting.
TEST_F(ConnectionTest, NothingFollowsBeginUntilThePeerHasAnswered) {
  answer("OK 1\r\n", encode(reply_to(1)));
  auto connection = open();
  ASSERT_TRUE(connection);
  ASSERT_TRUE(call(*connection));
  peer_.join();
  EXPECT_EQ(first_, std::string("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n", 29));
}

TEST_F(ConnectionTest, ARefusalIsAnError) {
  answer("REJECTED EXTERNAL\r\n", "");
  const auto connection = open();
  ASSERT_FALSE(connection);
  EXPECT_NE(connection.error().message().find("REJECTED"), std::string::npos);
}

TEST_F(ConnectionTest, AGreetingWithoutEndIsAnError) {
  answer(std::string(100000, 'x'), "");
  EXPECT_FALSE(open());
}

TEST_F(ConnectionTest, KeepsSignalsThatComeBeforeTheAnswer) {
  answer("OK 1\r\n", encode(signal("First")) + encode(signal("Second")) + encode(reply_to(1)));
  auto connection = open();
  ASSERT_TRUE(connection);
  ASSERT_TRUE(call(*connection));
  const auto kept = connection->wait_for_signal(
      [](const Message& each) { return each.member == "Second"; }, Clock::now() + 5s);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->member, "Second");
}

TEST_F(ConnectionTest, AnswersToOtherCallsAreSkipped) {
  answer("OK 1\r\n", encode(reply_to(77)) + encode(reply_to(1)));
  auto connection = open();
  ASSERT_TRUE(connection);
  const auto reply = call(*connection);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->reply_to, 1U);
}

TEST_F(ConnectionTest, AnErrorHasTheNameAndTextOfThePeer) {
  Message error;
  error.type = MessageType::Error;
  error.serial = 9;
  error.reply_to = 1;
  error.error = "org.freedesktop.systemd1.UnitExists";
  error.signature = "s";
  Writer body;
  body.string("it exists");
  error.body = body.take();
  answer("OK 1\r\n", encode(error));
  auto connection = open();
  ASSERT_TRUE(connection);
  const auto reply = call(*connection);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind(), base::ErrorKind::AlreadyExists);
  EXPECT_EQ(reply.error().message(), "org.freedesktop.systemd1.UnitExists: it exists");
}

TEST_F(ConnectionTest, APeerThatHangsUpIsAnError) {
  answer("OK 1\r\n", "l");
  auto connection = open();
  ASSERT_TRUE(connection);
  EXPECT_FALSE(call(*connection));
}

TEST_F(ConnectionTest, TheDeadlineEndsAWait) {
  const auto connection = Connection::open({path_, false}, "x", Clock::now() + 50ms);
  ASSERT_FALSE(connection);
  EXPECT_NE(connection.error().message().find("in time"), std::string::npos);
}

TEST(DbusAddress, ThePathIsTakenFromTheFirstSocketInTheFileSystem) {
  EXPECT_EQ(path_of_address("unix:path=/run/bus"), "/run/bus");
  EXPECT_EQ(path_of_address("tcp:host=x;unix:path=/run/bus,guid=1"), "/run/bus");
  EXPECT_EQ(path_of_address("unix:abstract=/x"), "");
  EXPECT_EQ(path_of_address(""), "");
}

}  // namespace
}  // namespace runtime::dbus
