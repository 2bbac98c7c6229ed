#include "engine/wasi/name_files.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace engine::wasi {
namespace {

constexpr std::string_view kHosts =
    "# comment\n"
    "127.0.0.1\tlocalhost lo\n"
    "::1 localhost\n"
    "not-an-address db\n"
    "10.0.0.5  db.example.org\tDB # the database\n"
    "10.0.0.6 db\r\n"
    "fd00::5 db";

TEST(Hosts, EveryLineWithTheNameCounts) {
  const ResolvedHost both = find_in_hosts(kHosts, "db", AF_UNSPEC);
  ASSERT_EQ(both.addresses.size(), 3U);
  EXPECT_EQ(both.canonical, "db.example.org");
  EXPECT_EQ(both.addresses[0], *parse_ip("10.0.0.5", AF_UNSPEC));
  EXPECT_EQ(both.addresses[1], *parse_ip("10.0.0.6", AF_UNSPEC));
  EXPECT_EQ(both.addresses[2], *parse_ip("fd00::5", AF_UNSPEC));
}

TEST(Hosts, OfOneFamilyAndWithoutCase) {
  EXPECT_EQ(find_in_hosts(kHosts, "LocalHost", AF_INET).addresses.size(), 1U);
  EXPECT_EQ(find_in_hosts(kHosts, "Db.Example.ORG", AF_INET6).addresses.size(), 0U);
  EXPECT_EQ(find_in_hosts(kHosts, "db", AF_INET6).addresses.size(), 1U);
}

TEST(Hosts, CommentsAndAddressesAreNoNames) {
  for (const char* name : {"the", "database", "127.0.0.1", "comment", "", "localhos"}) {
    EXPECT_TRUE(find_in_hosts(kHosts, name, AF_UNSPEC).addresses.empty()) << name;
  }
  EXPECT_TRUE(find_in_hosts("10.0.0.1", "10.0.0.1", AF_UNSPEC).addresses.empty());
}

TEST(Services, HaveAProtocolAndAliases) {
  constexpr std::string_view kServices =
      "http 80/tcp www\nsyslog 514/udp\nboth 7/tcp\nboth 8/udp\nbad 70000/tcp\nbad2 /tcp\nbad3\n";
  EXPECT_EQ(find_in_services(kServices, "www", "tcp"), 80);
  EXPECT_EQ(find_in_services(kServices, "http", ""), 80);
  EXPECT_EQ(find_in_services(kServices, "both", "udp"), 8);
  for (const char* name : {"syslog", "bad", "bad2", "bad3", "80/tcp", ""}) {
    EXPECT_FALSE(find_in_services(kServices, name, "tcp")) << name;
  }
}

TEST(Patience, IsWhatResolvConfSaysWithinItsLimits) {
  const auto one =
      parse_patience("nameserver 1.2.3.4\noptions ndots:2 timeout:1\noptions attempts:9");
  EXPECT_EQ(one.timeout_seconds, 1);
  EXPECT_EQ(one.attempts, 5);
  const auto other = parse_patience("timeout:1\noptions timeout:x attempts:0\n");
  EXPECT_EQ(other.timeout_seconds, 5);
  EXPECT_EQ(other.attempts, 1);
}

TEST(ParseIp, TakesNumbersOfTheFamilyAlone) {
  EXPECT_TRUE(parse_ip("::ffff:1.2.3.4", AF_INET6));
  EXPECT_FALSE(parse_ip("::1", AF_INET));
  EXPECT_FALSE(parse_ip("1.2.3.4", AF_INET6));
  EXPECT_FALSE(parse_ip("1.2.3", AF_UNSPEC));
  EXPECT_FALSE(parse_ip("", AF_UNSPEC));
}

}  // namespace
}  // namespace engine::wasi
