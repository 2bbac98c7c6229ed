#include "engine/wasi/socket_policy.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>

#include <string>

namespace engine::wasi {
namespace {

using ::testing::HasSubstr;

SocketAddress internet(const char* text, std::uint16_t port) {
  SocketAddress out;
  if (::inet_pton(AF_INET, text, &out.inet4.sin_addr) == 1) {
    out.family = out.inet4.sin_family = AF_INET;
    out.inet4.sin_port = htons(port);
  } else if (::inet_pton(AF_INET6, text, &out.inet6.sin6_addr) == 1) {
    out.family = out.inet6.sin6_family = AF_INET6;
    out.inet6.sin6_port = htons(port);
  }
  return out;
}

bool connects(const char* rules, const char* address, std::uint16_t port = 80,
              SocketKind kind = SocketKind::Tcp) {
  return SocketPolicy::parse(rules).value().allows(SocketUse::Connect, kind,
                                                   internet(address, port));
}

bool binds(const char* rules, const char* address, std::uint16_t port = 80) {
  return SocketPolicy::parse(rules).value().allows(SocketUse::Bind, SocketKind::Tcp,
                                                   internet(address, port));
}

TEST(SocketPolicy, WithoutRulesEverythingIsAllowedAndWithNoneNothing) {
  EXPECT_TRUE(connects("", "10.1.2.3"));
  EXPECT_TRUE(SocketPolicy::parse("").value().allows_resolving());
  EXPECT_TRUE(SocketPolicy::parse("").value().allows_sockets());
  EXPECT_FALSE(connects("none", "127.0.0.1"));
  EXPECT_FALSE(SocketPolicy::parse("none").value().allows_resolving());
  EXPECT_FALSE(SocketPolicy::parse(" none ").value().allows_sockets());
  EXPECT_FALSE(SocketPolicy().allows_sockets());
}

TEST(SocketPolicy, ANetworkIsDeniedToItsLastAddress) {
  constexpr const char* kRules = "deny 10.0.0.0/9, deny fd00::/8, deny 169.254.169.254";
  EXPECT_FALSE(connects(kRules, "10.127.255.255"));
  EXPECT_TRUE(connects(kRules, "10.128.0.0"));
  EXPECT_FALSE(connects(kRules, "fdff::1"));
  EXPECT_TRUE(connects(kRules, "fc00::1"));
  EXPECT_FALSE(connects(kRules, "169.254.169.254"));
  EXPECT_TRUE(connects(kRules, "169.254.169.253"));
}

TEST(SocketPolicy, FourInSixIsFour) {
  EXPECT_FALSE(connects("deny 10.0.0.0/8", "::ffff:10.0.0.1"));
  EXPECT_TRUE(connects("deny ::/0", "10.0.0.1"));
  EXPECT_TRUE(connects("deny ::/0", "::ffff:10.0.0.1"));
}

TEST(SocketPolicy, ConnectingToTheUnspecifiedAddressIsConnectingToOneself) {
  EXPECT_FALSE(connects("deny 127.0.0.0/8", "0.0.0.0"));
  EXPECT_FALSE(connects("deny 127.0.0.0/8", "::ffff:0.0.0.0"));
  EXPECT_FALSE(connects("deny ::1", "::"));
  EXPECT_TRUE(binds("deny 127.0.0.0/8", "0.0.0.0"));
}

TEST(SocketPolicy, TheFirstRuleThatMatchesDecides) {
  constexpr const char* kRules = "allow connect tcp 10.0.0.5 port 443,deny connect,allow";
  EXPECT_TRUE(connects(kRules, "10.0.0.5", 443));
  EXPECT_FALSE(connects(kRules, "10.0.0.5", 444));
  EXPECT_FALSE(connects(kRules, "10.0.0.5", 443, SocketKind::Udp));
  EXPECT_TRUE(binds(kRules, "10.0.0.5", 443));
}

TEST(SocketPolicy, PortsAreARange) {
  constexpr const char* kRules = "allow port 8000-8099, deny";
  EXPECT_TRUE(connects(kRules, "10.0.0.5", 8000));
  EXPECT_TRUE(connects(kRules, "10.0.0.5", 8099));
  EXPECT_FALSE(connects(kRules, "10.0.0.5", 8100));
  EXPECT_FALSE(connects(kRules, "10.0.0.5", 7999));
}

TEST(SocketPolicy, UnixSocketsHaveNeitherNetworkNorPort) {
  SocketAddress address;
  address.family = AF_UNIX;
  address.path = "/run/app.sock";
  const auto reaches = [&](const char* rules) {
    return SocketPolicy::parse(rules).value().allows(SocketUse::Connect, SocketKind::Unix, address);
  };
  EXPECT_TRUE(reaches("deny 0.0.0.0/0, deny ::/0, deny port 0-65535"));
  EXPECT_FALSE(reaches("deny unix"));
  EXPECT_FALSE(reaches("deny connect"));
}

TEST(SocketPolicy, NamesAreResolvedUnlessThatIsDenied) {
  const auto resolves = [](const char* rules) {
    return SocketPolicy::parse(rules).value().allows_resolving();
  };
  EXPECT_TRUE(resolves("deny udp, deny connect, deny 10.0.0.0/8"));
  EXPECT_FALSE(resolves("deny resolve"));
  EXPECT_FALSE(resolves("deny"));
  EXPECT_TRUE(resolves("allow resolve, deny"));
}

TEST(SocketPolicy, WhatIsNotUnderstoodIsNamed) {
  for (const char* rules :
       {"permit", "deny tcp udp", "deny 10.0.0.0/33", "deny ::/129", "deny 10.0.0/8", "deny port",
        "deny port 65536", "deny port 9-8", "deny 10.0.0.1/", "deny,,allow", "deny connect connect",
        "none, deny"}) {
    EXPECT_FALSE(SocketPolicy::parse(rules)) << rules;
  }
  EXPECT_THAT(SocketPolicy::parse("allow, deny tpc").error().message(),
              HasSubstr("\"deny tpc\": \"tpc\""));
  EXPECT_FALSE(SocketPolicy::parse(std::string(SocketPolicy::kMaxText + 1, ',')));
}

}  // namespace
}  // namespace engine::wasi
