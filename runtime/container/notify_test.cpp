#include "runtime/container/notify.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <thread>

#include "base/temp_dir.hpp"

namespace runtime::container {
namespace {

/// The container's process and the service manager, both by hand.
class Notify : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::string(base_.path()) + "/notify";
    manager_path_ = std::string(base_.path()) + "/manager";
    spec_.process.emplace();
    ASSERT_TRUE(prepare_notify(spec_, directory_));
    manager_ = bound(manager_path_);
    container_ = ::fork();
    if (container_ == 0) {
      ::pause();
      ::_exit(0);
    }
    // Safety: a plain number in, a descriptor out.
    pidfd_ = base::UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, container_, 0)));
    ASSERT_TRUE(pidfd_);
  }

  void TearDown() override { end_container(); }

  void end_container() {
    if (container_ <= 0) return;
    ::kill(container_, SIGKILL);
    ::waitpid(container_, nullptr, 0);
    container_ = 0;
  }

  static sockaddr_un name_of(const std::string& path) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path.data(), std::min(path.size(), sizeof(name.sun_path) - 1));
    return name;
  }

  static base::UniqueFd bound(const std::string& path) {
    base::UniqueFd out(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const sockaddr_un name = name_of(path);
    // Safety: the sockets API takes every address family as a sockaddr.
    EXPECT_EQ(::bind(out.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0);
    const timeval patience{5, 0};
    ::setsockopt(out.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return out;
  }

  void container_says(const std::string& text) const {
    const base::UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const sockaddr_un name = name_of(directory_ + "/notify.sock");
    // Safety: as above.
    ASSERT_EQ(::sendto(socket.get(), text.data(), text.size(), 0,
                       reinterpret_cast<const sockaddr*>(&name), sizeof(name)),
              static_cast<ssize_t>(text.size()));
  }

  /// One datagram; descriptors that come with it are closed.
  std::string manager_hears(int flags = 0) const {
    std::array<char, 4096> text{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    iovec part{text.data(), text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(manager_.get(), &message, flags);
    if (const cmsghdr* header = CMSG_FIRSTHDR(&message); got > 0 && header != nullptr) {
      int passed = -1;
      std::memcpy(&passed, CMSG_DATA(header), sizeof(passed));
      ::close(passed);
    }
    return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : "";
  }

  base::TempDir base_;
  std::string directory_;
  std::string manager_path_;
  oci::Spec spec_;
  base::UniqueFd manager_;
  pid_t container_ = 0;
  base::UniqueFd pidfd_;
};

TEST_F(Notify, TheConfigurationGetsMountAndVariable) {
  ASSERT_EQ(spec_.mounts.size(), 1U);
  EXPECT_EQ(spec_.mounts[0].destination, "/run/notify");
  EXPECT_EQ(spec_.mounts[0].source, directory_);
  EXPECT_EQ(spec_.process->env,
            (std::vector<std::string>{"NOTIFY_SOCKET=/run/notify/notify.sock"}));
}

TEST_F(Notify, OnlyReadyIsPassedOn) {
  const auto socket = NotifySocket::listen(directory_);
  ASSERT_TRUE(socket) << socket.error().message();
  container_says("STATUS=half way\nREADY=10\nMAINPID=1");
  container_says("STATUS=there\nREADY=1\nERRNO=5\n");

  ASSERT_TRUE(socket->forward(manager_path_, pidfd_.get(), 0));

  EXPECT_EQ(manager_hears(), "READY=1\n");
  EXPECT_EQ(manager_hears(MSG_DONTWAIT), "");
}

TEST_F(Notify, AMainPidComesWithABarrierThatIsWaitedFor) {
  const auto socket = NotifySocket::listen(directory_);
  ASSERT_TRUE(socket);
  container_says("READY=1");
  std::array<std::string, 2> heard;
  std::thread manager([&] { std::ranges::generate(heard, [this] { return manager_hears(); }); });

  ASSERT_TRUE(socket->forward(manager_path_, pidfd_.get(), 4711));
  manager.join();

  EXPECT_EQ(heard[0], "MAINPID=4711\nREADY=1\n");
  EXPECT_EQ(heard[1], "BARRIER=1");
}

TEST_F(Notify, AContainerThatEndsIsNotWaitedFor) {
  const auto socket = NotifySocket::listen(directory_);
  ASSERT_TRUE(socket);
  end_container();

  ASSERT_TRUE(socket->forward(manager_path_, pidfd_.get(), 0));

  EXPECT_EQ(manager_hears(MSG_DONTWAIT), "");
}

TEST_F(Notify, WhatItSaidBeforeItsEndCounts) {
  const auto socket = NotifySocket::listen(directory_);
  ASSERT_TRUE(socket);
  container_says("READY=1");
  end_container();

  ASSERT_TRUE(socket->forward(manager_path_, pidfd_.get(), 0));

  EXPECT_EQ(manager_hears(), "READY=1\n");
}

TEST_F(Notify, WithoutADirectoryThereIsNothingToListenAt) {
  const auto socket = NotifySocket::listen(directory_ + "/none");
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().kind(), base::ErrorKind::NotFound);
}

}  // namespace
}  // namespace runtime::container
