#include "shim/ttrpc/connection.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <map>
#include <string>

namespace shim::ttrpc {
namespace {

/// A connection and the raw other end of its socket.
class ConnectionTest : public testing::Test {
 protected:
  explicit ConnectionTest(const ConnectionLimits& limits = {}) : connection_(make_pair(), limits) {}

  base::UniqueFd make_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    peer_ = base::UniqueFd(ends[0]);
    return base::UniqueFd(ends[1]);
  }

  void send_frame(FrameType type, std::uint32_t stream_id, std::uint8_t flags,
                  std::string_view data) {
    FrameWriter writer;
    writer.push(type, stream_id, flags, data);
    ASSERT_TRUE(writer.write_to(peer_.get()));
    ASSERT_TRUE(writer.empty());
  }
  void send_request(std::uint32_t stream_id, std::string method = "m") {
    send_frame(FrameType::Request, stream_id, 0,
               encode_request({"s", std::move(method), "p", 0, {}}));
  }
  std::vector<Request> receive() {
    auto requests = connection_.on_readable();
    EXPECT_TRUE(requests);
    return requests ? *std::move(requests) : std::vector<Request>{};
  }
  /// What has been answered since the last call, by stream.
  std::multimap<std::uint32_t, ResponseBody> answers() {
    std::multimap<std::uint32_t, ResponseBody> out;
    std::vector<std::byte> buffer(std::size_t{1} << 16);
    while (true) {
      const ssize_t count = ::recv(peer_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (count <= 0) return out;
      std::span<const std::byte> part(buffer.data(), static_cast<std::size_t>(count));
      while (reader_.feed(part)) {
        const Frame frame = reader_.take();
        EXPECT_EQ(frame.header.type, 2);
        EXPECT_EQ(frame.header.flags, 0);
        auto body = decode_response(frame.data);
        EXPECT_TRUE(body);
        if (body) out.emplace(frame.header.stream_id, *std::move(body));
      }
    }
  }
  Code only_code() {
    const auto all = answers();
    EXPECT_EQ(all.size(), 1U);
    return all.size() == 1 ? all.begin()->second.status.code : Code::Ok;
  }

  base::UniqueFd peer_;
  FrameReader reader_;
  Connection connection_;
};

TEST_F(ConnectionTest, AnswersGoOutInAnyOrder) {
  send_request(1, "Wait");
  send_request(3, "State");
  const auto requests = receive();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].body.method, "Wait");
  EXPECT_EQ(requests[1].stream_id, 3U);
  ASSERT_TRUE(connection_.respond(3, "state"));
  EXPECT_EQ(answers().find(3)->second.payload, "state");
  ASSERT_TRUE(connection_.respond(1, Status{Code::NotFound, "gone"}));
  EXPECT_EQ(answers().find(1)->second.status, (Status{Code::NotFound, "gone"}));
}

TEST_F(ConnectionTest, AStreamIsAnsweredOnce) {
  send_request(1);
  receive();
  ASSERT_TRUE(connection_.respond(1, "first"));
  ASSERT_TRUE(connection_.respond(1, "second"));
  ASSERT_TRUE(connection_.respond(77, "never asked"));
  EXPECT_EQ(answers().size(), 1U);
}

TEST_F(ConnectionTest, ARequestMayComeByteByByte) {
  FrameWriter writer;
  const std::string data = encode_request({"s", "m", std::string(300, 'p'), 0, {}});
  const auto header = encode_header({static_cast<std::uint32_t>(data.size()), 1, 1, 0});
  std::string raw;
  for (const std::byte byte : header) raw.push_back(static_cast<char>(byte));
  raw += data;
  for (std::size_t k = 0; k < raw.size(); ++k) {
    ASSERT_EQ(::send(peer_.get(), &raw[k], 1, 0), 1);
    EXPECT_EQ(receive().size(), k + 1 == raw.size() ? 1U : 0U);
  }
}

TEST_F(ConnectionTest, StreamIdsAreOddAndIncrease) {
  send_request(2);
  EXPECT_TRUE(receive().empty());
  EXPECT_EQ(only_code(), Code::InvalidArgument);
  send_request(5);
  EXPECT_EQ(receive().size(), 1U);
  for (const std::uint32_t again : {5U, 3U, 1U}) {
    send_request(again);
    EXPECT_TRUE(receive().empty());
    EXPECT_EQ(only_code(), Code::InvalidArgument);
  }
  ASSERT_TRUE(connection_.respond(5, "still open"));
  EXPECT_EQ(only_code(), Code::Ok);
}

TEST_F(ConnectionTest, ARequestOfMoreThanFourMebibytesIsRefusedAndTheNextOneServed) {
  const auto header = encode_header({kMaxData + 1, 1, 1, 0});
  ASSERT_EQ(::send(peer_.get(), header.data(), header.size(), 0), 10);
  const std::vector<std::byte> chunk(std::size_t{32} << 10);
  for (std::size_t left = kMaxData + 1; left > 0;) {
    const std::size_t count = std::min(left, chunk.size());
    ASSERT_EQ(::send(peer_.get(), chunk.data(), count, 0), static_cast<ssize_t>(count));
    left -= count;
    EXPECT_TRUE(receive().empty());
  }
  EXPECT_EQ(only_code(), Code::ResourceExhausted);
  send_request(3);
  EXPECT_EQ(receive().size(), 1U);
}

TEST_F(ConnectionTest, WhatIsNoRequestIsRefused) {
  send_frame(FrameType::Request, 1, 0, "\xff\xff");
  EXPECT_TRUE(receive().empty());
  EXPECT_EQ(only_code(), Code::InvalidArgument);
  send_frame(FrameType::Request, 3, kRemoteOpen, encode_request({"s", "m", {}, 0, {}}));
  EXPECT_TRUE(receive().empty());
  EXPECT_EQ(only_code(), Code::Unimplemented);
  send_frame(FrameType::Data, 3, kRemoteClosed | kNoData, {});
  EXPECT_TRUE(receive().empty());
  EXPECT_EQ(only_code(), Code::InvalidArgument);
  send_frame(FrameType::Response, 3, 0, "ignored");
  send_frame(static_cast<FrameType>(200), 3, 0, "ignored");
  EXPECT_TRUE(receive().empty());
  EXPECT_TRUE(answers().empty());
}

TEST_F(ConnectionTest, APeerThatSendsNoMoreStillGetsItsAnswers) {
  send_request(1);
  ASSERT_EQ(::shutdown(peer_.get(), SHUT_WR), 0);
  EXPECT_EQ(receive().size(), 1U);
  EXPECT_FALSE(connection_.wants_read());
  EXPECT_FALSE(connection_.is_finished());
  ASSERT_TRUE(connection_.respond(1, "late"));
  EXPECT_TRUE(connection_.is_finished());
  EXPECT_EQ(answers().find(1)->second.payload, "late");
}

TEST_F(ConnectionTest, HalfAFrameAtTheEndIsNoRequest) {
  ASSERT_EQ(::send(peer_.get(), "\0\0\0\5\0", 5, 0), 5);
  ASSERT_EQ(::shutdown(peer_.get(), SHUT_WR), 0);
  EXPECT_TRUE(receive().empty());
  EXPECT_TRUE(connection_.is_finished());
}

TEST_F(ConnectionTest, AnAnswerToAClosedPeerFails) {
  send_request(1);
  receive();
  peer_.reset();
  EXPECT_FALSE(connection_.respond(1, "x"));
}

class SmallConnection : public ConnectionTest {
 protected:
  SmallConnection()
      : ConnectionTest({.open_streams = 2, .unsent = 4096, .unsent_hard = 1U << 20}) {}
};

TEST_F(SmallConnection, OpenStreamsAreCounted) {
  for (const std::uint32_t id : {1U, 3U, 5U}) send_request(id);
  EXPECT_EQ(receive().size(), 2U);
  EXPECT_EQ(only_code(), Code::ResourceExhausted);
  ASSERT_TRUE(connection_.respond(1, ""));
  send_request(7);
  EXPECT_EQ(receive().size(), 1U);
}

TEST_F(SmallConnection, WhoDoesNotReadIsNotReadFrom) {
  const std::string answer(std::size_t{300} << 10, 'a');  // more than a socket holds
  send_request(1);
  receive();
  ASSERT_TRUE(connection_.respond(1, answer));
  EXPECT_TRUE(connection_.wants_write());
  EXPECT_FALSE(connection_.wants_read());
  send_request(3);
  EXPECT_TRUE(receive().empty());
  std::size_t answered = 0;
  while (connection_.wants_write()) {
    answered += answers().size();
    ASSERT_TRUE(connection_.on_writable());
  }
  answered += answers().size();
  EXPECT_EQ(answered, 1U);
  EXPECT_EQ(receive().size(), 1U);
}

TEST_F(SmallConnection, AnswersThatNobodyReadsEndTheConnection) {
  const std::string answer(std::size_t{900} << 10, 'a');
  send_request(1);
  send_request(3);
  receive();
  ASSERT_TRUE(connection_.respond(1, answer));
  EXPECT_FALSE(connection_.respond(3, answer));
}

TEST_F(ConnectionTest, AnAnswerThatIsTooLargeBecomesAnError) {
  send_request(1);
  receive();
  ASSERT_TRUE(connection_.respond(1, std::string(kMaxData, 'a')));
  EXPECT_EQ(only_code(), Code::ResourceExhausted);
}

}  // namespace
}  // namespace shim::ttrpc
