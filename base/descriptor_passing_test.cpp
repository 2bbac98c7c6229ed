#include "base/descriptor_passing.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include "base/file.hpp"

namespace base {
namespace {

std::array<UniqueFd, 2> socket_pair(int type) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

TEST(DescriptorPassing, TheSameFileArrivesCloseOnExec) {
  const auto [near, far] = socket_pair(SOCK_SEQPACKET);
  const auto null = open_file("/dev/null", O_RDONLY);
  ASSERT_TRUE(null);
  ASSERT_EQ(send_with_descriptor(near.get(), "abc", null->get(), "test"), 3U);
  std::array<char, 8> buffer{};
  const auto got = receive_with_descriptor(far.get(), buffer, "test");
  ASSERT_TRUE(got);
  EXPECT_EQ(std::string_view(buffer.data(), got->size), "abc");
  ASSERT_TRUE(got->descriptor);
  EXPECT_EQ(stat_fd(got->descriptor.get(), "got")->st_rdev, stat_fd(null->get(), "null")->st_rdev);
  EXPECT_EQ(::fcntl(got->descriptor.get(), F_GETFD), FD_CLOEXEC);
}

TEST(DescriptorPassing, AMessageWithoutADescriptorBringsNone) {
  const auto [near, far] = socket_pair(SOCK_SEQPACKET);
  ASSERT_TRUE(send_with_descriptor(near.get(), "x", -1, "test"));
  std::array<char, 8> buffer{};
  const auto got = receive_with_descriptor(far.get(), buffer, "test");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->size, 1U);
  EXPECT_FALSE(got->descriptor);
}

TEST(DescriptorPassing, TheOtherSideGoneIsEndOfFileForTheReaderAndAnErrorForTheWriter) {
  auto [near, far] = socket_pair(SOCK_STREAM);
  far.reset();
  std::array<char, 8> buffer{};
  const auto got = receive_with_descriptor(near.get(), buffer, "test");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->size, 0U);
  const auto sent = send_with_descriptor(near.get(), "x", -1, "console");
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().sys_errno(), EPIPE);
  EXPECT_EQ(sent.error().subject(), "console");
}

TEST(DescriptorPassing, APathLongerThanAnAddressIsRefused) {
  const auto connected = connect_unix("/" + std::string(200, 'x'));
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind(), ErrorKind::Invalid);
}

}  // namespace
}  // namespace base
