#include "shim/ttrpc/frame.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>

#include "base/unique_fd.hpp"

namespace shim::ttrpc {
namespace {

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

TEST(FrameHeader, IsTenBytesInNetworkOrder) {
  const auto bytes = encode_header({.length = 0x01020304, .stream_id = 5, .type = 2, .flags = 4});
  EXPECT_EQ((std::vector<std::byte>(bytes.begin(), bytes.end())),
            bytes_of({1, 2, 3, 4, 0, 0, 0, 5, 2, 4}));
  const FrameHeader header = decode_header(bytes);
  EXPECT_EQ(header.length, 0x01020304U);
  EXPECT_EQ(header.stream_id, 5U);
  EXPECT_EQ(header.type, 2);
  EXPECT_EQ(header.flags, 4);
}

TEST(FrameReader, FramesComeInAnyPieces) {
  const auto stream = bytes_of({0, 0, 0, 2, 0, 0, 0, 1, 1, 0, 'a', 'b',  // data
                                0, 0, 0, 0, 0, 0, 0, 3, 3, 5});          // no data
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    FrameReader reader;
    std::vector<Frame> frames;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      std::span<const std::byte> part =
          std::span(stream).subspan(at, std::min(piece, stream.size() - at));
      while (reader.feed(part)) frames.push_back(reader.take());
    }
    ASSERT_EQ(frames.size(), 2U) << piece;
    EXPECT_EQ(frames[0].data, "ab");
    EXPECT_EQ(frames[1].header.stream_id, 3U);
    EXPECT_EQ(frames[1].header.flags, 5);
    EXPECT_TRUE(frames[1].data.empty());
  }
}

TEST(FrameReader, OversizedDataIsThrownAwayAndTheNextFrameIsFound) {
  FrameReader reader;
  const std::uint32_t length = kMaxData + 1;
  const auto header = encode_header({.length = length, .stream_id = 1, .type = 1, .flags = 0});
  std::span<const std::byte> part(header);
  EXPECT_FALSE(reader.feed(part));
  const std::vector<std::byte> chunk(std::size_t{64} << 10);
  bool whole = false;
  for (std::size_t left = length; left > 0;) {
    part = std::span(chunk).first(std::min(left, chunk.size()));
    left -= part.size();
    whole = reader.feed(part);
  }
  ASSERT_TRUE(whole);
  const Frame frame = reader.take();
  EXPECT_TRUE(frame.oversized());
  EXPECT_TRUE(frame.data.empty());
  const auto next = bytes_of({0, 0, 0, 1, 0, 0, 0, 3, 1, 0, 'x'});
  part = next;
  ASSERT_TRUE(reader.feed(part));
  EXPECT_EQ(reader.take().data, "x");
}

TEST(FrameWriter, GoesOnWhereTheSocketWasFull) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const base::UniqueFd ours(ends[0]);
  const base::UniqueFd theirs(ends[1]);
  FrameWriter writer;
  const std::string data(kMaxData, 'd');
  writer.push(FrameType::Response, 1, 0, data);
  writer.push(FrameType::Response, 3, 0, "end");
  FrameReader reader;
  std::vector<Frame> frames;
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  while (frames.size() < 2) {
    ASSERT_TRUE(writer.write_to(ours.get()));
    const ssize_t count = ::recv(theirs.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    ASSERT_GT(count, 0);
    std::span<const std::byte> part(buffer.data(), static_cast<std::size_t>(count));
    while (reader.feed(part)) frames.push_back(reader.take());
  }
  EXPECT_TRUE(writer.empty());
  EXPECT_EQ(writer.size(), 0U);
  EXPECT_EQ(frames[0].data, data);
  EXPECT_EQ(frames[1].data, "end");
}

TEST(FrameWriter, AClosedPeerIsAnErrorAndNoSignal) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const base::UniqueFd ours(ends[0]);
  base::UniqueFd(ends[1]).reset();
  FrameWriter writer;
  writer.push(FrameType::Response, 1, 0, "x");
  EXPECT_FALSE(writer.write_to(ours.get()));
}

}  // namespace
}  // namespace shim::ttrpc
