#include <arpa/inet.h>
#include <sys/socket.h>

#include "engine/wasi/fake_guest.hpp"
#include "engine/wasi/socket_abi.hpp"

namespace engine::wasi {
namespace {

constexpr std::uint32_t kStream = 2;
constexpr std::uint32_t kDatagram = 1;
constexpr std::uint32_t kInet4 = 1;
constexpr std::uint32_t kInet6 = 2;
constexpr std::uint32_t kUnix = 3;
constexpr std::uint32_t kError = 2;
constexpr std::uint32_t kType = 1;
constexpr std::uint32_t kReuse = 0;
constexpr std::uint32_t kReceiveTimeout = 11;
constexpr std::array<std::uint8_t, 4> kLoopback4{127, 0, 0, 1};
constexpr std::array<std::uint8_t, 16> kLoopback6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

/// Sockets with a directory preopened as 3, and all that the policy's rules allow.
class Extension : public ::testing::Test {
 protected:
  static constexpr Address kAddress = 0x2000;
  static constexpr Address kStorage = 0x2100;
  static constexpr Address kPort = 0x2200;
  static constexpr Address kFamily = 0x2300;

  explicit Extension(const char* rules = "", bool read_only = false) {
    WasiOptions options;
    options.sockets = SocketPolicy::parse(rules).value();
    std::filesystem::create_directory(dir_.path() / "inside");
    Preopen& preopen = options.preopens.emplace_back();
    preopen.directory = base::open_file(dir_.path() / "inside", O_RDONLY | O_DIRECTORY).value();
    preopen.guest_path = "/run";
    preopen.read_only = read_only;
    guest_.emplace(std::move(options));
  }

  Fd open(std::uint32_t family, std::uint32_t type = kStream) {
    EXPECT_EQ(guest_->call<sock_open>(family, type, FakeGuest::kResult), Errno::Success);
    return guest_->get<Fd>(FakeGuest::kResult);
  }
  template <std::size_t kSize>
  Address put_address(const std::array<std::uint8_t, kSize>& bytes) {
    guest_->put(kStorage, bytes);
    guest_->put(kAddress, AddressBuffer{kStorage, kSize});
    return kAddress;
  }
  Address put_path(std::string_view path) {
    AddressStorage storage{};
    storage.family = kUnix;
    std::memcpy(storage.address, path.data(), path.size());
    guest_->put(kStorage, storage);
    guest_->put(kAddress, AddressBuffer{kStorage, kAddressStorage});
    return kAddress;
  }
  Address put_room(std::uint32_t size) {
    guest_->put(kStorage, AddressStorage{});
    guest_->put(kAddress, AddressBuffer{kStorage, size});
    return kAddress;
  }
  std::uint32_t port_of(Fd fd) {
    EXPECT_EQ(guest_->call<sock_getlocaladdr>(fd, put_room(kAddressStorage), kPort),
              Errno::Success);
    return guest_->get<std::uint32_t>(kPort);
  }
  Fd listen(Address address, std::uint32_t family) {
    const Fd fd = open(family);
    EXPECT_EQ(guest_->call<sock_bind>(fd, address, 0U), Errno::Success);
    EXPECT_EQ(guest_->call<sock_listen>(fd, 8U), Errno::Success);
    return fd;
  }
  Fd accept(Fd listener) {
    EXPECT_EQ(guest_->call<sock_accept_v1>(listener, FakeGuest::kResult), Errno::Success);
    return guest_->get<Fd>(FakeGuest::kResult);
  }
  void write(Fd fd, std::string_view text) {
    guest_->put_iovec(FakeGuest::kBuffer, guest_->put_text(FakeGuest::kBuffer, text));
    EXPECT_EQ(guest_->call<sock_send>(fd, FakeGuest::kIovs, 1U, 0U, FakeGuest::kResult),
              Errno::Success);
  }
  template <std::size_t kSize>
  void exchange(const std::array<std::uint8_t, kSize>& loopback, std::uint32_t family) {
    const Fd listener = listen(put_address(loopback), family);
    const std::uint32_t port = port_of(listener);
    const Fd client = open(family);
    ASSERT_EQ(guest_->call<sock_connect>(client, put_address(loopback), port), Errno::Success);
    const Fd server = accept(listener);
    write(client, "ping");
    EXPECT_EQ(guest_->read(server), "ping");
    ASSERT_EQ(guest_->call<sock_getpeeraddr>(client, put_room(kAddressStorage), kPort),
              Errno::Success);
    EXPECT_EQ(guest_->get<std::uint32_t>(kPort), port);
    const auto storage = guest_->get<AddressStorage>(kStorage);
    EXPECT_EQ(storage.family, family);
    EXPECT_EQ(std::memcmp(storage.address, loopback.data(), kSize), 0);
  }

  base::TempDir dir_;
  std::optional<FakeGuest> guest_;
};

class NoSockets : public Extension {
 protected:
  NoSockets() : Extension("none") {}
};

class DeniedSockets : public Extension {
 protected:
  DeniedSockets() : Extension("deny connect 127.0.0.0/8, deny bind ::/0, deny unix") {}
};

class ReadOnlyDirectory : public Extension {
 protected:
  ReadOnlyDirectory() : Extension("", true) {}
};

TEST_F(Extension, StreamsOverIpv4) { exchange(kLoopback4, kInet4); }
TEST_F(Extension, StreamsOverIpv6) { exchange(kLoopback6, kInet6); }

TEST_F(Extension, TheOlderFormSaysTheFamilyAsFourOrSix) {
  const Fd four = listen(put_address(kLoopback4), kInet4);
  ASSERT_EQ(guest_->call<sock_getlocaladdr_v1>(four, put_room(4), kFamily, kPort), Errno::Success);
  EXPECT_EQ(guest_->get<std::uint32_t>(kFamily), 4U);
  EXPECT_EQ((guest_->get<std::array<std::uint8_t, 4>>(kStorage)), kLoopback4);
  const Fd six = listen(put_address(kLoopback6), kInet6);
  ASSERT_EQ(guest_->call<sock_getlocaladdr_v1>(six, put_room(16), kFamily, kPort), Errno::Success);
  EXPECT_EQ(guest_->get<std::uint32_t>(kFamily), 6U);
  EXPECT_EQ((guest_->get<std::array<std::uint8_t, 16>>(kStorage)), kLoopback6);
  EXPECT_EQ(guest_->call<sock_getlocaladdr_v1>(six, put_room(4), kFamily, kPort), Errno::NoMem);
  EXPECT_EQ(guest_->call<sock_getpeeraddr_v1>(six, put_room(16), kFamily, kPort), Errno::NotConn);
}

TEST_F(Extension, DatagramsSayWhoSentThem) {
  const Fd receiver = open(kInet4, kDatagram);
  ASSERT_EQ(guest_->call<sock_bind>(receiver, put_address(kLoopback4), 0U), Errno::Success);
  const std::uint32_t port = port_of(receiver);
  const Fd sender = open(kInet4, kDatagram);
  ASSERT_EQ(guest_->call<sock_bind>(sender, put_address(kLoopback4), 0U), Errno::Success);
  const std::uint32_t sender_port = port_of(sender);
  for (int form = 0; form < 2; ++form) {
    guest_->put_iovec(FakeGuest::kBuffer, guest_->put_text(FakeGuest::kBuffer, "datagram"));
    ASSERT_EQ(guest_->call<sock_send_to>(sender, FakeGuest::kIovs, 1U, put_address(kLoopback4),
                                         port, 0U, FakeGuest::kResult),
              Errno::Success);
    EXPECT_EQ(guest_->get<Size>(FakeGuest::kResult), 8U);
    guest_->put_iovec(FakeGuest::kBuffer, 4);  // half of it
    const Errno received =
        form == 0 ? guest_->call<sock_recv_from>(receiver, FakeGuest::kIovs, 1U,
                                                 put_room(kAddressStorage), 0U, kPort,
                                                 FakeGuest::kResult, FakeGuest::kResult + 4)
                  : guest_->call<sock_recv_from_v1>(receiver, FakeGuest::kIovs, 1U, put_room(16),
                                                    0U, FakeGuest::kResult, FakeGuest::kResult + 4);
    ASSERT_EQ(received, Errno::Success);
    EXPECT_EQ(guest_->text(FakeGuest::kBuffer, guest_->get<Size>(FakeGuest::kResult)), "data");
    EXPECT_EQ(guest_->get<std::uint16_t>(FakeGuest::kResult + 4), 1U) << "truncated";
    if (form == 0) {
      EXPECT_EQ(guest_->get<std::uint16_t>(kPort), sender_port);
    }
    const Address at = kStorage + (form == 0 ? 2 : 0);
    EXPECT_EQ((guest_->get<std::array<std::uint8_t, 4>>(at)), kLoopback4);
  }
}

TEST_F(Extension, UnixSocketsLieInTheGuestsDirectories) {
  const Fd listener = listen(put_path("/run/app.sock"), kUnix);
  EXPECT_TRUE(std::filesystem::is_socket(dir_.path() / "inside/app.sock"));
  const Fd client = open(kUnix);
  ASSERT_EQ(guest_->call<sock_connect>(client, put_path("/run/app.sock"), 0U), Errno::Success);
  const Fd server = accept(listener);
  write(client, "over unix");
  EXPECT_EQ(guest_->read(server), "over unix");
  ASSERT_EQ(guest_->call<sock_getlocaladdr>(server, put_room(kAddressStorage), kPort),
            Errno::Success);
  EXPECT_EQ(guest_->text(kStorage + 2, 14), std::string("/run/app.sock\0", 14));
}

TEST_F(Extension, UnixSocketsCannotLeaveTheGuestsDirectories) {
  std::filesystem::create_directory(dir_.path() / "outside");
  std::filesystem::create_symlink("../outside", dir_.path() / "inside/out");
  std::filesystem::create_symlink("../outside/host.sock", dir_.path() / "inside/link.sock");
  const base::UniqueFd host(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = dir_.path() / "outside/host.sock";
  ASSERT_LT(path.size(), sizeof(address.sun_path));
  std::memcpy(address.sun_path, path.data(), path.size());
  // Safety: bind(2)'s own idiom.
  ASSERT_EQ(::bind(host.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(host.get(), 1), 0);
  const Fd fd = open(kUnix);
  for (const char* outward :
       {"/run/out/host.sock", "/run/link.sock", "/run/../outside/host.sock"}) {
    EXPECT_EQ(guest_->call<sock_connect>(fd, put_path(outward), 0U), Errno::Perm) << outward;
  }
  EXPECT_EQ(guest_->call<sock_connect>(fd, put_path(path), 0U), Errno::NotCapable);
  EXPECT_EQ(guest_->call<sock_connect>(fd, put_path(std::string_view("\0abstract", 9)), 0U),
            Errno::Inval);
  for (const char* outward : {"/run/out/new.sock", "/run/../outside/new.sock"}) {
    EXPECT_EQ(guest_->call<sock_bind>(fd, put_path(outward), 0U), Errno::Perm) << outward;
  }
  EXPECT_EQ(guest_->call<sock_bind>(fd, put_path("/run/link.sock"), 0U), Errno::AddrInUse);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_.path() / "outside"), {}), 1);
}

TEST_F(ReadOnlyDirectory, NoUnixSocketIsMadeThere) {
  EXPECT_EQ(guest_->call<sock_bind>(open(kUnix), put_path("/run/app.sock"), 0U), Errno::RoFs);
}

TEST_F(Extension, ANonBlockingConnectIsWaitedForInPoll) {
  const Fd listener = listen(put_address(kLoopback4), kInet4);
  const std::uint32_t port = port_of(listener);
  const Fd client = open(kInet4);
  ASSERT_EQ(guest_->call<fd_fdstat_set_flags>(client, fdflags::kNonblock), Errno::Success);
  const Errno begun = guest_->call<sock_connect>(client, put_address(kLoopback4), port);
  EXPECT_TRUE(begun == Errno::InProgress || begun == Errno::Success);
  Subscription subscription{};
  subscription.type = EventType::FdWrite;
  subscription.subject = client;
  guest_->put(FakeGuest::kBuffer, subscription);
  ASSERT_EQ(guest_->call<poll_oneoff>(FakeGuest::kBuffer, FakeGuest::kBuffer + 256, 1U,
                                      FakeGuest::kResult),
            Errno::Success);
  EXPECT_EQ(guest_->get<Event>(FakeGuest::kBuffer + 256).error, 0);
  guest_->put(FakeGuest::kResult, 4U);
  ASSERT_EQ(guest_->call<sock_getsockopt>(client, 0U, kError, kPort, FakeGuest::kResult),
            Errno::Success);
  EXPECT_EQ(guest_->get<std::uint32_t>(kPort), 0U);
}

TEST_F(Extension, ARefusedConnectIsTheSocketsErrorInTheGuestsNumbers) {
  const Fd gone = listen(put_address(kLoopback4), kInet4);
  const std::uint32_t port = port_of(gone);
  ASSERT_EQ(guest_->call<fd_close>(gone), Errno::Success);
  const Fd client = open(kInet4, kDatagram);
  ASSERT_EQ(guest_->call<sock_connect>(client, put_address(kLoopback4), port), Errno::Success);
  write(client, "to nobody");
  Subscription subscription{};
  subscription.type = EventType::FdRead;
  subscription.subject = client;
  guest_->put(FakeGuest::kBuffer, subscription);
  ASSERT_EQ(guest_->call<poll_oneoff>(FakeGuest::kBuffer, FakeGuest::kBuffer + 256, 1U,
                                      FakeGuest::kResult),
            Errno::Success);
  ASSERT_EQ(guest_->call<sock_getsockopt>(client, 0U, kError, kPort, 4U), Errno::Success);
  EXPECT_EQ(guest_->get<std::uint32_t>(kPort), static_cast<std::uint32_t>(Errno::ConnRefused));
}

TEST_F(Extension, OptionsGoInAndComeBack) {
  const Fd fd = open(kInet4);
  guest_->put(kPort, 1U);
  ASSERT_EQ(guest_->call<sock_setsockopt>(fd, 0U, kReuse, kPort, 4U), Errno::Success);
  guest_->put(kPort, 0U);
  guest_->put(FakeGuest::kResult, 4U);
  ASSERT_EQ(guest_->call<sock_getsockopt>(fd, 0U, kReuse, kPort, FakeGuest::kResult),
            Errno::Success);
  EXPECT_EQ(guest_->get<std::uint32_t>(kPort), 1U);
  ASSERT_EQ(guest_->call<sock_getsockopt>(fd, 0U, kType, kPort, 4U), Errno::Success);
  EXPECT_EQ(guest_->get<std::uint32_t>(kPort), kStream);
  guest_->put(kStorage, std::array<std::int64_t, 2>{3, 500000});
  ASSERT_EQ(guest_->call<sock_setsockopt>(fd, 0U, kReceiveTimeout, kStorage, 16U), Errno::Success);
  guest_->put(kStorage, std::array<std::int64_t, 2>{});
  guest_->put(FakeGuest::kResult, 16U);
  ASSERT_EQ(guest_->call<sock_getsockopt>(fd, 0U, kReceiveTimeout, kStorage, FakeGuest::kResult),
            Errno::Success);
  EXPECT_EQ((guest_->get<std::array<std::int64_t, 2>>(kStorage)[0]), 3);
  EXPECT_EQ(guest_->call<sock_setsockopt>(fd, 1U, kReuse, kPort, 4U), Errno::NoProtoOpt);
  EXPECT_EQ(guest_->call<sock_setsockopt>(fd, 0U, 15U, kPort, 4U), Errno::NoProtoOpt);
}

TEST_F(Extension, SizesThatAGuestMakesUpAreRefused) {
  const Fd fd = open(kInet4, kDatagram);
  EXPECT_EQ(guest_->call<sock_setsockopt>(fd, 0U, kReuse, kPort, 0xffffffffU), Errno::Inval);
  guest_->put(FakeGuest::kResult, 0xffffffffU);
  EXPECT_EQ(guest_->call<sock_getsockopt>(fd, 0U, kReuse, kPort, FakeGuest::kResult), Errno::Fault);
  for (const std::uint32_t size : {0U, 3U, 15U, 127U, 129U, 0xffffffffU}) {
    EXPECT_EQ(guest_->call<sock_bind>(fd, put_room(size), 0U), Errno::Inval) << size;
    EXPECT_EQ(guest_->call<sock_getlocaladdr>(fd, put_room(size), kPort), Errno::Inval) << size;
  }
  guest_->put(kAddress, AddressBuffer{FakeGuest::kMemory - 127, kAddressStorage});
  EXPECT_EQ(guest_->call<sock_connect>(fd, kAddress, 0U), Errno::Fault);
  EXPECT_EQ(guest_->call<sock_connect>(fd, Address{FakeGuest::kMemory - 4}, 0U), Errno::Fault);
  guest_->put_iovec(FakeGuest::kBuffer, 0xffffffffU);
  EXPECT_EQ(guest_->call<sock_send_to>(fd, FakeGuest::kIovs, 1U, put_address(kLoopback4), 9U, 0U,
                                       FakeGuest::kResult),
            Errno::Fault);
  EXPECT_EQ(guest_->call<sock_open>(kInet4, 3U, FakeGuest::kResult), Errno::Inval);
  EXPECT_EQ(guest_->call<sock_open>(4U, kStream, FakeGuest::kResult), Errno::Inval);
  EXPECT_EQ(guest_->call<sock_open>(257U, kStream, FakeGuest::kResult), Errno::Inval);
  EXPECT_EQ(guest_->call<sock_open>(0U, kStream, FakeGuest::kResult), Errno::Inval);
}

TEST_F(NoSockets, NoneIsMade) {
  EXPECT_EQ(guest_->call<sock_open>(kInet4, kStream, FakeGuest::kResult), Errno::Acces);
  EXPECT_EQ(guest_->call<sock_open>(kUnix, kStream, FakeGuest::kResult), Errno::Acces);
}

TEST_F(DeniedSockets, EveryWayToAnAddressIsClosed) {
  const Fd stream = open(kInet4);
  EXPECT_EQ(guest_->call<sock_connect>(stream, put_address(kLoopback4), 80U), Errno::Acces);
  EXPECT_EQ(guest_->call<sock_connect>(open(kInet6),
                                       put_address(std::array<std::uint8_t, 16>{
                                           0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 127, 0, 0, 1}),
                                       80U),
            Errno::Acces);
  guest_->put_iovec(FakeGuest::kBuffer, 4);
  EXPECT_EQ(guest_->call<sock_send_to>(open(kInet4, kDatagram), FakeGuest::kIovs, 1U,
                                       put_address(kLoopback4), 9U, 0U, FakeGuest::kResult),
            Errno::Acces);
  EXPECT_EQ(guest_->call<sock_bind>(open(kInet6), put_address(kLoopback6), 0U), Errno::Acces);
  EXPECT_EQ(guest_->call<sock_listen>(open(kInet6), 1U), Errno::Acces) << "takes a port unasked";
  EXPECT_EQ(guest_->call<sock_bind>(open(kUnix), put_path("/run/app.sock"), 0U), Errno::Acces);
  EXPECT_EQ(guest_->call<sock_bind>(stream, put_address(kLoopback4), 0U), Errno::Success);
}

}  // namespace
}  // namespace engine::wasi
