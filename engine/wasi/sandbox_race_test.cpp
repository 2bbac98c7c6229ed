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
