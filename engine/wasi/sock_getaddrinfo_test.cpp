#include "engine/wasi/fake_guest.hpp"
#include "engine/wasi/socket_abi.hpp"

namespace engine::wasi {
namespace {

/// A guest with a list of four results, and the resolver's files in a directory of their own.
class GetAddrInfo : public ::testing::Test {
 protected:
  static constexpr Address kHints = 0x2000;
  static constexpr Address kList = 0x2100;
  static constexpr Address kPointer = 0x2300;
  static constexpr Address kCount = 0x2310;
  static constexpr Address kSockaddrs = 0x2400;
  static constexpr Address kData = 0x2500;
  static constexpr Address kNames = 0x2600;
  static constexpr Size kResults = 4;
  static constexpr Size kNameRoom = 32;

  GetAddrInfo() {
    WasiOptions options;
    options.sockets = SocketPolicy::parse("").value();
    options.resolver = {dir_.path() / "hosts", dir_.path() / "services", dir_.path() / "resolv"};
    write("hosts", "10.0.0.5 db.example.org db\nfd00::5 db\n");
    write("services", "postgresql 5432/tcp postgres\n");
    // Nobody listens there: who asks is told at once.
    write("resolv", "nameserver 127.0.0.255\noptions attempts:1 timeout:1\n");
    guest_.emplace(std::move(options));
    for (Address i = 0; i < kResults; ++i) {
      guest_->put(entry(i), Addrinfo{0,
                                     0,
                                     0,
                                     0,
                                     {},
                                     0,
                                     kSockaddrs + i * 12,
                                     kNames + i * kNameRoom,
                                     kNameRoom,
                                     i + 1 < kResults ? entry(i + 1) : 0});
      guest_->put(kSockaddrs + i * 12, GuestSockaddr{0, {}, 26, kData + i * 32});
    }
    guest_->put(kPointer, kList);
  }

  static Address entry(Address i) { return kList + i * static_cast<Address>(sizeof(Addrinfo)); }
  void write(const char* name, std::string_view text) {
    const auto file = base::open_file(dir_.path() / name, O_WRONLY | O_CREAT, 0644).value();
    ASSERT_TRUE(base::write_all(file.get(), text, name));
  }
  Errno look_up(std::string_view node, std::string_view service, Addrinfo hints = {},
                Size max = kResults) {
    guest_->put(kHints, hints);
    const Size node_size = guest_->put_text(FakeGuest::kPath, node);
    const Size service_size = guest_->put_text(FakeGuest::kPath2, service);
    return guest_->call<sock_getaddrinfo>(FakeGuest::kPath, node_size, FakeGuest::kPath2,
                                          service_size, kHints, kPointer, max, kCount);
  }
  Size count() { return guest_->get<Size>(kCount); }
  Addrinfo result(Address i) { return guest_->get<Addrinfo>(entry(i)); }
  std::string data(Address i, std::size_t size) { return guest_->text(kData + i * 32, size); }

  base::TempDir dir_;
  std::optional<FakeGuest> guest_;
};

constexpr Addrinfo hints(std::uint16_t flags, std::uint8_t family, std::uint8_t type = 2) {
  return {flags, family, type, 0, {}, 0, 0, 0, 0, 0};
}

TEST_F(GetAddrInfo, NamesOfHostsFilesComeWithTheirPort) {
  ASSERT_EQ(look_up(std::string_view("db\0", 3), std::string_view("postgres\0", 9), hints(2, 0)),
            Errno::Success);
  ASSERT_EQ(count(), 2U);
  bool seen_four = false;
  for (Address i = 0; i < 2; ++i) {
    const Addrinfo info = result(i);
    EXPECT_EQ(info.socktype, 2);
    EXPECT_EQ(info.protocol, 1);
    if (info.family != 1) continue;
    seen_four = true;
    EXPECT_EQ(info.address_length, 16U);
    EXPECT_EQ(guest_->get<GuestSockaddr>(info.address).family, 1);
    EXPECT_EQ(data(i, 6), std::string("\x15\x38\x0a\x00\x00\x05", 6));
  }
  EXPECT_TRUE(seen_four);
  EXPECT_EQ(guest_->text(kNames, 15), std::string("db.example.org\0", 15));
  EXPECT_EQ(result(0).canonname_length, 14U);
  EXPECT_EQ(result(1).canonname_length, 0U);
}

TEST_F(GetAddrInfo, IPv6TakesTwentySixBytes) {
  ASSERT_EQ(look_up("fd00::5", "80", hints(4 | 8, 2)), Errno::Success);
  ASSERT_EQ(count(), 1U);
  EXPECT_EQ(result(0).address_length, 28U);
  EXPECT_EQ(guest_->get<GuestSockaddr>(kSockaddrs).size, 26U);
  EXPECT_EQ(data(0, 8), std::string("\x00\x50\0\0\0\0\xfd\x00", 8));
  EXPECT_EQ(data(0, 22).back(), '\5');
}

TEST_F(GetAddrInfo, WithoutATypeThereAreTwoOfEach) {
  ASSERT_EQ(look_up("10.1.2.3", "7", hints(0, 0, 0)), Errno::Success);
  ASSERT_EQ(count(), 2U);
  EXPECT_EQ(result(0).socktype, 2);
  EXPECT_EQ(result(1).socktype, 1);
  EXPECT_EQ(result(1).protocol, 2);
  ASSERT_EQ(look_up("10.1.2.3", "7", hints(0, 0, 0), 1), Errno::Success);
  EXPECT_EQ(count(), 1U) << "no more than there is room for";
}

TEST_F(GetAddrInfo, WithoutANodeItIsOneself) {
  ASSERT_EQ(look_up("", "80", hints(1, 1)), Errno::Success);
  EXPECT_EQ(data(0, 6), std::string("\0\x50\0\0\0\0", 6)) << "to bind";
  ASSERT_EQ(look_up("", "80", hints(0, 1)), Errno::Success);
  EXPECT_EQ(data(0, 6), std::string("\0\x50\x7f\0\0\1", 6)) << "to connect";
}

TEST_F(GetAddrInfo, LocalhostIsNeverAskedFor) {
  ASSERT_EQ(look_up("app.localhost.", "http", hints(0, 1)), Errno::Success);
  EXPECT_EQ(data(0, 6), std::string("\0\x50\x7f\0\0\1", 6));
}

TEST_F(GetAddrInfo, MappedAddressesStandInForIPv6) {
  ASSERT_EQ(look_up("db.example.org", "80", hints(16, 2)), Errno::Success);
  ASSERT_EQ(count(), 1U);
  EXPECT_EQ(data(0, 22).substr(16), std::string("\xff\xff\x0a\0\0\5", 6));
}

TEST_F(GetAddrInfo, FailuresHaveNumbersOfTheirOwn) {
  EXPECT_EQ(look_up("", ""), Errno::AiNoName);
  EXPECT_EQ(look_up("db", "80", hints(4, 0)), Errno::AiNoName) << "numeric host";
  EXPECT_EQ(look_up("db", "postgres", hints(8, 0)), Errno::AiNoName) << "numeric service";
  EXPECT_EQ(look_up("db", "gopher", hints(0, 0)), Errno::AiService);
  EXPECT_EQ(look_up("db", "65536", hints(0, 0)), Errno::AiService);
  EXPECT_EQ(look_up("db", "80", hints(128, 0)), Errno::AiBadFlag);
  EXPECT_EQ(look_up("db", "80", hints(0, 3)), Errno::AiFamily);
  EXPECT_EQ(look_up("db", "80", hints(0, 0, 3)), Errno::AiSockType);
  EXPECT_EQ(look_up("db", "80", {0, 0, 2, 2, {}, 0, 0, 0, 0, 0}), Errno::AiSockType);
  EXPECT_EQ(look_up("db", "80", {}, 0), Errno::AiMemory);
  EXPECT_EQ(look_up(std::string(256, 'a'), "80"), Errno::AiNoName);
  EXPECT_EQ(look_up("a..b", "80"), Errno::AiNoName);
}

TEST_F(GetAddrInfo, WithoutAServerItMayBeTriedAgain) {
  EXPECT_EQ(look_up("www.example.org", "80", hints(0, 0)), Errno::AiAgain);
}

TEST_F(GetAddrInfo, NamesAreDeniedButNumbersAreNot) {
  guest_->context.sockets = SocketPolicy::parse("deny resolve").value();
  EXPECT_EQ(look_up("db", "80"), Errno::Acces);
  EXPECT_EQ(look_up("10.0.0.5", "80"), Errno::Success);
}

TEST_F(GetAddrInfo, WhatPointsOutsideIsAFault) {
  guest_->put(kPointer, Address{FakeGuest::kMemory - 27});
  EXPECT_EQ(look_up("10.0.0.5", "80"), Errno::Fault);
  guest_->put(kPointer, kList);
  guest_->put(kSockaddrs, GuestSockaddr{0, {}, 26, FakeGuest::kMemory - 5});
  EXPECT_EQ(look_up("10.0.0.5", "80"), Errno::Fault);
  EXPECT_EQ(guest_->call<sock_getaddrinfo>(FakeGuest::kPath, 0xffffffffU, FakeGuest::kPath2, 0U,
                                           kHints, kPointer, kResults, kCount),
            Errno::AiNoName);
  EXPECT_EQ(guest_->call<sock_getaddrinfo>(Address{FakeGuest::kMemory - 8}, 9U, FakeGuest::kPath2,
                                           0U, kHints, kPointer, kResults, kCount),
            Errno::Fault);
}

TEST_F(GetAddrInfo, AListInACircleEnds) {
  Addrinfo circle = result(0);
  circle.next = entry(0);
  guest_->put(entry(0), circle);
  EXPECT_EQ(look_up("db", "80", hints(0, 0, 0), 0xffffffffU), Errno::Success);
  EXPECT_EQ(count(), 4U);
}

}  // namespace
}  // namespace engine::wasi
