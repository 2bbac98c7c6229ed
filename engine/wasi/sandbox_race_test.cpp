// The sandbox while somebody else changes the tree, and where the kernel lacks openat2.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <atomic>
#include <thread>

#include "engine/wasi/fake_guest.hpp"

namespace engine::wasi {
namespace {

namespace fs = std::filesystem;

class ChangingTree : public GuestWithDirectory {
 protected:
  ~ChangingTree() override { stop(); }

  /// Exchanges the two names, in one step each time, until stop().
  void exchange(const fs::path& left, const fs::path& right) {
    thread_ = std::thread([this, left, right] {
      while (!stopped_)
        ::renameat2(AT_FDCWD, left.c_str(), AT_FDCWD, right.c_str(), RENAME_EXCHANGE);
    });
  }
  void stop() {
    stopped_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

constexpr int kRounds = 3000;

TEST_F(ChangingTree, AFileThatBecomesALinkOutwardsIsNeverReadThrough) {
  write(inside() / "file", "inside");
  fs::create_symlink("../outside/secret", inside() / "link");
  exchange(inside() / "file", inside() / "link");
  int reached = 0;
  for (int i = 0; i < kRounds; ++i) {
    Fd fd = 0;
    if (guest_.open(kDir, "file", {}, fd) != Errno::Success) continue;
    ++reached;
    ASSERT_EQ(guest_.read(fd), "inside");
    ASSERT_EQ(guest_.call<fd_close>(fd), Errno::Success);
  }
  EXPECT_GT(reached, 0);
}

TEST_F(ChangingTree, TruncationNeverReachesAnotherFileThanTheOneThatIsOpened) {
  write(inside() / "file", "inside");
  fs::create_symlink("../outside/secret", inside() / "link");
  exchange(inside() / "file", inside() / "link");
  for (int i = 0; i < kRounds; ++i) {
    Fd fd = 0;
    const OpenOptions options{.oflags = oflags::kTrunc | oflags::kCreat, .base = rights::kFdWrite};
    if (guest_.open(kDir, "file", options, fd) != Errno::Success) continue;
    ASSERT_EQ(guest_.call<fd_close>(fd), Errno::Success);
  }
  stop();
  EXPECT_EQ(read(outside() / "secret"), "secret");
}

TEST_F(ChangingTree, ADirectoryThatBecomesALinkOutwardsIsNeverWrittenThrough) {
  fs::create_directory(inside() / "directory");
  fs::create_symlink("../outside", inside() / "link");
  exchange(inside() / "directory", inside() / "link");
  const Size size = guest_.put_text(FakeGuest::kPath, "directory/new");
  int made = 0;
  for (int i = 0; i < kRounds; ++i) {
    if (guest_.call<path_create_directory>(kDir, FakeGuest::kPath, size) == Errno::Success) ++made;
    guest_.call<path_remove_directory>(kDir, FakeGuest::kPath, size);
    ASSERT_FALSE(fs::exists(outside() / "new"));
  }
  EXPECT_GT(made, 0);
}

/// Another thread of the guest: does something to it again and again while the test calls.
class GuestWithThreads : public GuestWithDirectory {
 protected:
  ~GuestWithThreads() override {
    stopped_ = true;
    if (thread_.joinable()) thread_.join();
  }

  template <typename Work>
  void meanwhile(Work work) {
    thread_ = std::thread([this, work] {
      while (!stopped_) work();
    });
  }

 private:
  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

TEST_F(GuestWithThreads, APathThatIsExchangedWhileItIsOpenedLeadsNowhereElse) {
  fs::create_directory(inside() / "aa");
  write(inside() / "aa/file", "inside");
  write(inside().parent_path() / "file", "secret");
  const Size size = guest_.put_text(FakeGuest::kPath, "aa/file");
  meanwhile([this] {
    guest_.put_text(FakeGuest::kPath, "../file");
    guest_.put_text(FakeGuest::kPath, "aa/file");
  });
  int reached = 0;
  int refused = 0;
  // Until both were seen, on a machine with one processor, too.
  for (int i = 0; i < kRounds || (i < 100 * kRounds && (reached == 0 || refused == 0)); ++i) {
    const Errno error =
        guest_.call<path_open>(kDir, kLookupSymlinkFollow, FakeGuest::kPath, size, 0U,
                               rights::kFdRead, Rights{0}, 0U, FakeGuest::kResult);
    if (error != Errno::Success) {
      ++refused;
      continue;
    }
    ++reached;
    const Fd fd = guest_.get<Fd>(FakeGuest::kResult);
    ASSERT_EQ(guest_.read(fd), "inside");
    ASSERT_EQ(guest_.call<fd_close>(fd), Errno::Success);
  }
  EXPECT_GT(reached, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(GuestWithThreads, ANumberThatIsGivenToAnotherFileIsNeverReadHalfWay) {
  write(inside() / "first", "first");
  write(inside() / "second", "second");
  const OpenOptions options{.base = rights::kFdRead | rights::kFdSeek};
  Fd target = 0;
  ASSERT_EQ(guest_.open(kDir, "first", options, target), Errno::Success);
  constexpr Address kOtherPath = 0xa000;
  constexpr Address kOtherResult = 0xb000;
  meanwhile([this, target] {
    for (const std::string_view name : {"second", "first"}) {
      const Size size = guest_.put_text(kOtherPath, name);
      EXPECT_EQ(guest_.call<path_open>(kDir, kLookupSymlinkFollow, kOtherPath, size, 0U,
                                       rights::kFdRead, Rights{0}, 0U, kOtherResult),
                Errno::Success);
      EXPECT_EQ(guest_.call<fd_renumber>(guest_.get<Fd>(kOtherResult), target), Errno::Success);
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    guest_.put_iovec(FakeGuest::kBuffer, 16);
    // From the start: what is read never depends on the position.
    ASSERT_EQ(
        guest_.call<fd_pread>(target, FakeGuest::kIovs, 1U, std::uint64_t{0}, FakeGuest::kResult),
        Errno::Success);
    const std::string text = guest_.text(FakeGuest::kBuffer, guest_.get<Size>(FakeGuest::kResult));
    ASSERT_TRUE(text == "first" || text == "second") << text;
  }
}

TEST_F(GuestWithThreads, TwoThreadsReadOneDirectoryEachFromItsOwnCookie) {
  for (int i = 0; i < 20; ++i) write(inside() / ("file" + std::to_string(i)), "");
  const auto count = [this](Address buffer, Address used) {
    const Errno error = guest_.call<fd_readdir>(kDir, buffer, 4096U, std::uint64_t{0}, used);
    return error == Errno::Success ? guest_.get<Size>(used) : Size{0};
  };
  constexpr Address kOtherBuffer = 0xa000;
  constexpr Address kOtherUsed = 0xb000;
  const Size whole = count(FakeGuest::kBuffer, FakeGuest::kResult);
  ASSERT_GT(whole, 20U * sizeof(Dirent));
  meanwhile([count, whole] { EXPECT_EQ(count(kOtherBuffer, kOtherUsed), whole); });
  for (int i = 0; i < kRounds; ++i) {
    ASSERT_EQ(count(FakeGuest::kBuffer, FakeGuest::kResult), whole);
  }
}

/// For the rest of the process, openat2 does not exist.
void deny_openat2() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = std::size(program), .filter = program};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ::_exit(100);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) ::_exit(101);
}

using WithoutOpenat2 = GuestWithDirectory;

TEST_F(WithoutOpenat2, PathsAreRefusedNotWalked) {
  write(inside() / "file", "text");
  fs::create_directory(inside() / "a");
  EXPECT_EXIT(
      {
        deny_openat2();
        const Size size = guest_.put_text(FakeGuest::kPath2, "a/new");
        const bool refused =
            guest_.open(kDir, "file") == Errno::NoSys &&
            guest_.open(kDir, "new", {.oflags = oflags::kCreat}) == Errno::NoSys &&
            guest_.call<path_create_directory>(kDir, FakeGuest::kPath2, size) == Errno::NoSys;
        ::_exit(refused ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace engine::wasi
