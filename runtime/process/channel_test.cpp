#include "runtime/process/channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/file.hpp"

namespace runtime::process {
namespace {

TEST(ErrorOverTheChannel, KeepsCallSubjectErrnoAndSteps) {
  base::Error error("mount", "/proc", EACCES);
  error.add_context("prepare rootfs");
  error.add_context("create c1");
  const base::Error out = decode_error(encode_error(error));
  EXPECT_EQ(out.message(), error.message());
  EXPECT_EQ(out.sys_errno(), EACCES);
  EXPECT_EQ(out.call(), "mount");
  EXPECT_EQ(out.steps(), error.steps());
}

TEST(ErrorOverTheChannel, KeepsKindAndText) {
  const base::Error error(base::ErrorKind::NotFound, "exec: \"x\": not found");
  const base::Error out = decode_error(encode_error(error));
  EXPECT_EQ(out.kind(), base::ErrorKind::NotFound);
  EXPECT_EQ(out.message(), error.message());
}

TEST(ErrorOverTheChannel, AnyPrefixDecodesToSomething) {
  base::Error error("open", "/a", ENOENT);
  error.add_context("step");
  const std::string whole = encode_error(error);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_error(std::string_view(whole).substr(0, size)).message().empty()) << size;
  }
}

TEST(ErrorOverTheChannel, LongTextIsCutToFitAPacket) {
  base::Error error(base::ErrorKind::Invalid, std::string(100000, 'x'));
  for (int i = 0; i < 10; ++i) error.add_context(std::string(5000, 's'));
  EXPECT_LE(encode_error(error).size(), 16380U);
}

TEST(Channel, CarriesADescriptor) {
  auto ends = Channel::make();
  ASSERT_TRUE(ends);
  const auto null = base::open_file("/dev/null", O_RDONLY);
  ASSERT_TRUE(ends->first.send(MessageType::Terminal, {}, null->get()));
  const auto message = ends->second.expect(MessageType::Terminal);
  ASSERT_TRUE(message);
  ASSERT_TRUE(message->descriptor);
  EXPECT_NE(::fcntl(message->descriptor.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Channel, AClosedOtherSideIsAnError) {
  auto ends = Channel::make();
  ASSERT_TRUE(ends);
  ends->first.close();
  const auto message = ends->second.receive();
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().sys_errno(), ECONNRESET);
  EXPECT_FALSE(ends->second.send(MessageType::Ready));
}

TEST(Channel, AnErrorOfTheOtherSideIsReturned) {
  auto ends = Channel::make();
  ASSERT_TRUE(ends);
  const base::Error error("chdir", "/nowhere", ENOENT);
  ASSERT_TRUE(ends->first.send(MessageType::Error, encode_error(error)));
  const auto message = ends->second.expect(MessageType::Ready);
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().message(), error.message());
}

}  // namespace
}  // namespace runtime::process
