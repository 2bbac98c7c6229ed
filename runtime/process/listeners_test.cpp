#include "runtime/process/listeners.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/temp_dir.hpp"

namespace runtime::process {
namespace {

TEST(Listeners, AreParsedInTheirOrder) {
  const auto listeners =
      parse_listeners("tcp:8080, tcp:127.0.0.1:1 ,tcp:[::1]:65535,unix:/run/app.sock").value();
  ASSERT_EQ(listeners.size(), 4U);
  EXPECT_TRUE(listeners[0].any_family);
  EXPECT_EQ(listeners[0].address.ss_family, AF_INET6);
  EXPECT_EQ(listeners[1].address.ss_family, AF_INET);
  EXPECT_FALSE(listeners[1].any_family);
  EXPECT_EQ(listeners[1].size, sizeof(sockaddr_in));
  EXPECT_EQ(listeners[2].address.ss_family, AF_INET6);
  EXPECT_EQ(listeners[3].path, "/run/app.sock");
}

TEST(Listeners, WhatIsNoAddressIsNamed) {
  for (const std::string text :
       {"", "tcp:", "tcp:0", "tcp:65536", "tcp:80x", "tcp:localhost:80", "tcp:::1:80",
        "tcp:[::1]80", "tcp:[::1]", "tcp::80", "tcp:1.2.3.4", "udp:53", "8080",
        "unix:", "unix:app.sock", "unix:/", "unix:/run/", "tcp:80,", "tcp:80,,tcp:81"}) {
    const auto parsed = parse_listeners(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().message().find("expected tcp:PORT"), std::string::npos) << text;
  }
  EXPECT_FALSE(parse_listener(std::string_view("unix:/a\0b", 9)));
  EXPECT_FALSE(parse_listener("unix:/" + std::string(108, 'x')));
}

TEST(Listeners, AreBounded) {
  std::string text = "tcp:1";
  for (int i = 0; i < 63; ++i) text += ",tcp:1";
  EXPECT_TRUE(parse_listeners(text));
  EXPECT_FALSE(parse_listeners(text + ",tcp:1"));
  EXPECT_FALSE(parse_listeners(std::string(5000, ' ')));
}

TEST(Listeners, AUnixSocketTakesTheOldOnesPlaceButNoFiles) {
  const base::TempDir dir;
  const std::string path = dir.path() / "socket";
  const auto listener = parse_listener("unix:" + path).value();
  const oci::User self{.uid = ::geteuid(), .gid = ::getegid(), .umask = {}, .additional_gids = {}};
  const auto first = open_listener(listener, self);
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_TRUE(open_listener(listener, self));
  ASSERT_EQ(::unlink(path.c_str()), 0);
  ASSERT_EQ(::close(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
  const auto refused = open_listener(listener, self);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sys_errno(), EADDRINUSE);
}

TEST(Listeners, AUnixSocketIsMadeWithTheUsersRights) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const base::TempDir dir;
  ASSERT_EQ(::chmod(dir.path().c_str(), 0755), 0);
  const std::string path = dir.path() / "socket";
  const auto listener = parse_listener("unix:" + path).value();
  oci::User user;
  user.uid = 12345;
  user.gid = 12345;
  const auto refused = open_listener(listener, user);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sys_errno(), EACCES);
  ASSERT_EQ(::chmod(dir.path().c_str(), 0777), 0);
  ASSERT_TRUE(open_listener(listener, user));
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 12345U);
  EXPECT_EQ(status.st_gid, 12345U);
}

TEST(Listeners, APathThroughMagicLinksIsRefused) {
  const base::TempDir dir;
  const int root = ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  const std::string path =
      "/proc/self/fd/" + std::to_string(root) + std::string(dir.path() / "socket");
  const auto refused = open_listener(parse_listener("unix:" + path).value(), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sys_errno(), ELOOP);
  ::close(root);
}

}  // namespace
}  // namespace runtime::process
