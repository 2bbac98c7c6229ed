#include <sys/socket.h>
#include <sys/un.h>

#include "engine/wasi/fake_guest.hpp"

namespace engine::wasi {
namespace {

class Sockets : public ::testing::Test {
 protected:
  static constexpr Fd kSocket = 3;

  Sockets() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    peer_ = base::UniqueFd(ends[1]);
    WasiOptions options;
    options.stdio[0] = base::open_file("/dev/null", O_RDONLY).value();
    options.inherited.emplace_back(ends[0]);
    guest_.emplace(std::move(options));
  }

  base::UniqueFd peer_;
  std::optional<FakeGuest> guest_;
};

TEST_F(Sockets, SendAndReceive) {
  guest_->put_iovec(FakeGuest::kBuffer, guest_->put_text(FakeGuest::kBuffer, "ping"));
  ASSERT_EQ(guest_->call<sock_send>(kSocket, FakeGuest::kIovs, 1U, 0U, FakeGuest::kResult),
            Errno::Success);
  EXPECT_EQ(guest_->get<Size>(FakeGuest::kResult), 4U);
  char seen[4];
  ASSERT_EQ(::recv(peer_.get(), seen, 4, 0), 4);
  EXPECT_EQ(std::string_view(seen, 4), "ping");
  ASSERT_EQ(::send(peer_.get(), "pong", 4, 0), 4);
  constexpr std::uint32_t kPeek = 1;
  for (const std::uint32_t flags : {kPeek, 0U}) {
    ASSERT_EQ(guest_->call<sock_recv>(kSocket, FakeGuest::kIovs, 1U, flags, FakeGuest::kResult,
                                      FakeGuest::kResult + 4),
              Errno::Success);
    EXPECT_EQ(guest_->text(FakeGuest::kBuffer, guest_->get<Size>(FakeGuest::kResult)), "pong");
  }
}

TEST_F(Sockets, SendingToNobodyIsAnErrnoNotASignal) {
  peer_.reset();
  guest_->put_iovec(FakeGuest::kBuffer, 4);
  EXPECT_EQ(guest_->call<sock_send>(kSocket, FakeGuest::kIovs, 1U, 0U, FakeGuest::kResult),
            Errno::Pipe);
}

TEST_F(Sockets, ShutdownReachesThePeer) {
  ASSERT_EQ(guest_->call<sock_shutdown>(kSocket, 2U), Errno::Success);
  char byte = 0;
  EXPECT_EQ(::recv(peer_.get(), &byte, 1, 0), 0);
  EXPECT_EQ(guest_->call<sock_shutdown>(kSocket, 0U), Errno::Inval);
  EXPECT_EQ(guest_->call<sock_shutdown>(kSocket, 4U), Errno::Inval);
}

TEST_F(Sockets, OtherDescriptorsAreNoSockets) {
  EXPECT_EQ(guest_->call<sock_shutdown>(0U, 2U), Errno::NotSock);
  EXPECT_EQ(guest_->call<sock_shutdown>(9U, 2U), Errno::BadF);
  EXPECT_EQ(guest_->call<sock_accept>(0U, 0U, FakeGuest::kResult), Errno::NotSock);
}

TEST(Listener, AcceptsIntoANewDescriptor) {
  base::UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // Safety: bind(2)'s own idiom; with the family alone Linux picks a free abstract name.
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener.get(), generic, sizeof(sa_family_t)), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  socklen_t length = sizeof(address);
  ASSERT_EQ(::getsockname(listener.get(), generic, &length), 0);
  const base::UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(client.get(), generic, length), 0);
  ASSERT_EQ(::send(client.get(), "hello", 5, 0), 5);

  WasiOptions options;
  options.inherited.push_back(std::move(listener));
  FakeGuest guest(std::move(options));
  ASSERT_EQ(guest.call<sock_accept>(3U, fdflags::kNonblock, FakeGuest::kResult), Errno::Success);
  const Fd accepted = guest.get<Fd>(FakeGuest::kResult);
  EXPECT_EQ(guest.read(accepted), "hello");
  guest.put_iovec(FakeGuest::kBuffer, 10);
  EXPECT_EQ(guest.call<fd_read>(accepted, FakeGuest::kIovs, 1U, FakeGuest::kResult), Errno::Again);
}

}  // namespace
}  // namespace engine::wasi
