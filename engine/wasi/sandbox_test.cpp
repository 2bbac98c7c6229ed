// Every known way out of a WASI sandbox (those that other runtimes had, and /proc's), tried.
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "engine/wasi/fake_guest.hpp"

namespace engine::wasi {
namespace {

namespace fs = std::filesystem;

class BeneathADirectory : public GuestWithDirectory {};

TEST_F(BeneathADirectory, FilesAreReached) {
  write(inside() / "file", "text");
  Fd fd = 0;
  ASSERT_EQ(guest_.open(kDir, "file", {}, fd), Errno::Success);
  EXPECT_EQ(guest_.read(fd), "text");
}

TEST_F(BeneathADirectory, DotDotAndAbsolutePathsAreRefused) {
  EXPECT_EQ(guest_.open(kDir, "../outside/secret"), Errno::Perm);
  EXPECT_EQ(guest_.open(kDir, (outside() / "secret").native()), Errno::Perm);
  EXPECT_EQ(guest_.open(kDir, "/etc/passwd"), Errno::Perm);
}

TEST_F(BeneathADirectory, DotDotThatComesBackAfterLeavingIsRefused) {
  write(inside() / "file", "text");
  EXPECT_EQ(guest_.open(kDir, "../inside/file"), Errno::Perm);
}

TEST_F(BeneathADirectory, DotDotThatStaysIsAllowed) {
  fs::create_directory(inside() / "a");
  write(inside() / "file", "text");
  EXPECT_EQ(guest_.open(kDir, "a/../file"), Errno::Success);
}

TEST_F(BeneathADirectory, LinksThatLeaveAreRefused) {
  fs::create_symlink(outside() / "secret", inside() / "absolute");
  fs::create_symlink("../outside/secret", inside() / "relative");
  fs::create_symlink("../outside", inside() / "directory");
  EXPECT_EQ(guest_.open(kDir, "absolute"), Errno::Perm);
  EXPECT_EQ(guest_.open(kDir, "relative"), Errno::Perm);
  EXPECT_EQ(guest_.open(kDir, "directory/secret"), Errno::Perm);
}

// GHSA-vqjp-4c8c-hfgg: a slash at the end, of the path or of a link's target, cancelled the check.
TEST_F(BeneathADirectory, SlashesAtTheEndDoNotOpenTheWayOut) {
  fs::create_symlink("../outside", inside() / "out");
  fs::create_symlink("../outside/", inside() / "out-with-slash");
  for (const char* path : {"out/", "out//", "out-with-slash", "out-with-slash/"}) {
    for (const std::uint32_t lookup : {0U, kLookupSymlinkFollow}) {
      const Errno error = guest_.open(kDir, path, {.base = 0, .lookup = lookup});
      EXPECT_TRUE(error == Errno::Perm || error == Errno::Loop) << path;
    }
  }
}

// CVE-2024-38358.
TEST_F(BeneathADirectory, NothingIsCreatedThroughALinkThatLeaves) {
  fs::create_symlink("../outside/new", inside() / "link");
  EXPECT_EQ(guest_.open(kDir, "link", {.oflags = oflags::kCreat, .base = rights::kFdWrite}),
            Errno::Perm);
  EXPECT_FALSE(fs::exists(outside() / "new"));
}

TEST_F(BeneathADirectory, NothingIsTruncatedThroughALinkThatLeaves) {
  fs::create_symlink("../outside/secret", inside() / "link");
  EXPECT_EQ(guest_.open(kDir, "link", {.oflags = oflags::kTrunc, .base = rights::kFdWrite}),
            Errno::Perm);
  EXPECT_EQ(read(outside() / "secret"), "secret");
}

TEST_F(BeneathADirectory, EntriesAreNotChangedThroughDirectoriesThatLeave) {
  fs::create_symlink("../outside", inside() / "out");
  write(inside() / "file", "text");
  constexpr Address kPath = FakeGuest::kPath;
  constexpr Address kFile = FakeGuest::kPath2;
  const Size file = guest_.put_text(kFile, "file");
  for (const char* path : {"out/secret", "out/secret/", "../outside/secret"}) {
    const Size size = guest_.put_text(kPath, path);
    EXPECT_EQ(guest_.call<path_create_directory>(kDir, kPath, size), Errno::Perm) << path;
    EXPECT_EQ(guest_.call<path_unlink_file>(kDir, kPath, size), Errno::Perm) << path;
    EXPECT_EQ(guest_.call<path_remove_directory>(kDir, kPath, size), Errno::Perm) << path;
    EXPECT_EQ(guest_.call<path_rename>(kDir, kPath, size, kDir, kFile, file), Errno::Perm) << path;
    EXPECT_EQ(guest_.call<path_rename>(kDir, kFile, file, kDir, kPath, size), Errno::Perm) << path;
    EXPECT_EQ(guest_.call<path_link>(kDir, 0U, kPath, size, kDir, kFile, file), Errno::Perm);
    EXPECT_EQ(guest_.call<path_link>(kDir, 0U, kFile, file, kDir, kPath, size), Errno::Perm);
    EXPECT_EQ(guest_.call<path_symlink>(kFile, file, kDir, kPath, size),
              *path == '.' ? Errno::NotCapable : Errno::Perm);
    EXPECT_EQ(guest_.call<path_filestat_get>(kDir, 0U, kPath, size, FakeGuest::kBuffer),
              Errno::Perm);
    EXPECT_EQ(guest_.call<path_filestat_set_times>(kDir, 1U, kPath, size, 0, 0, fstflags::kMtim),
              Errno::Perm);
    EXPECT_EQ(
        guest_.call<path_readlink>(kDir, kPath, size, FakeGuest::kBuffer, 100U, FakeGuest::kResult),
        Errno::Perm);
  }
  EXPECT_EQ(read(outside() / "secret"), "secret");
}

// With a slash behind it the kernel's own linkat and readlinkat follow a last link.
TEST_F(BeneathADirectory, SlashesDoNotMakeLinkAndReadlinkFollow) {
  fs::create_symlink("../outside/secret", inside() / "to-file");
  fs::create_symlink("../outside", inside() / "to-directory");
  const Size to = guest_.put_text(FakeGuest::kPath2, "new");
  for (const char* path : {"to-file/", "to-directory/"}) {
    const Size size = guest_.put_text(FakeGuest::kPath, path);
    EXPECT_EQ(guest_.call<path_link>(kDir, 0U, FakeGuest::kPath, size, kDir, FakeGuest::kPath2, to),
              Errno::NotDir);
    EXPECT_NE(guest_.call<path_readlink>(kDir, FakeGuest::kPath, size, FakeGuest::kBuffer, 100U,
                                         FakeGuest::kResult),
              Errno::Success);
  }
  EXPECT_FALSE(fs::exists(inside() / "new"));
}

TEST_F(BeneathADirectory, SlashesDoNotMakeOtherCallsFollow) {
  fs::create_directory(outside() / "empty");
  fs::create_symlink("../outside/empty", inside() / "link");
  fs::create_symlink("../outside/new", inside() / "to-nothing");
  const Size size = guest_.put_text(FakeGuest::kPath, "link/");
  const Size to = guest_.put_text(FakeGuest::kPath2, "moved");
  EXPECT_EQ(guest_.call<path_remove_directory>(kDir, FakeGuest::kPath, size), Errno::NotDir);
  EXPECT_EQ(guest_.call<path_unlink_file>(kDir, FakeGuest::kPath, size), Errno::NotDir);
  EXPECT_EQ(guest_.call<path_rename>(kDir, FakeGuest::kPath, size, kDir, FakeGuest::kPath2, to),
            Errno::NotDir);
  const Size nothing = guest_.put_text(FakeGuest::kPath, "to-nothing/");
  EXPECT_EQ(guest_.call<path_create_directory>(kDir, FakeGuest::kPath, nothing), Errno::Exist);
  EXPECT_TRUE(fs::exists(outside() / "empty"));
  EXPECT_FALSE(fs::exists(outside() / "new"));
}

// GHSA-4ch3-9j33-3pmj's relative: what follows a link may be linked to under a harmless name.
TEST_F(BeneathADirectory, HardLinksDoNotFollow) {
  fs::create_symlink("../outside/secret", inside() / "link");
  const Size size = guest_.put_text(FakeGuest::kPath, "link");
  const Size to = guest_.put_text(FakeGuest::kPath2, "new");
  EXPECT_EQ(guest_.call<path_link>(kDir, 1U, FakeGuest::kPath, size, kDir, FakeGuest::kPath2, to),
            Errno::Inval);
  EXPECT_EQ(guest_.call<path_link>(kDir, 0U, FakeGuest::kPath, size, kDir, FakeGuest::kPath2, to),
            Errno::Success);
  EXPECT_TRUE(fs::is_symlink(inside() / "new"));
}

TEST_F(BeneathADirectory, NothingIsLearntOfWhatALinkThatLeavesNames) {
  fs::create_symlink("../outside/secret", inside() / "link");
  const auto stat = [this](std::string_view path, std::uint32_t lookup) {
    const Size size = guest_.put_text(FakeGuest::kPath, path);
    return guest_.call<path_filestat_get>(kDir, lookup, FakeGuest::kPath, size, FakeGuest::kBuffer);
  };
  EXPECT_EQ(stat("link", kLookupSymlinkFollow), Errno::Perm);
  EXPECT_EQ(stat("..", 0), Errno::Perm);
  ASSERT_EQ(stat("link", 0), Errno::Success);
  EXPECT_EQ(guest_.get<Filestat>(FakeGuest::kBuffer).filetype, Filetype::SymbolicLink);
}

TEST_F(BeneathADirectory, LinksThatLeaveAreNotMade) {
  const auto symlink = [this](std::string_view target, std::string_view path) {
    const Size target_size = guest_.put_text(FakeGuest::kPath, target);
    const Size size = guest_.put_text(FakeGuest::kPath2, path);
    return guest_.call<path_symlink>(FakeGuest::kPath, target_size, kDir, FakeGuest::kPath2, size);
  };
  fs::create_directory(inside() / "a");
  EXPECT_EQ(symlink("/etc/passwd", "l1"), Errno::NotCapable);
  EXPECT_EQ(symlink("../outside/secret", "l2"), Errno::NotCapable);
  EXPECT_EQ(symlink("../../outside/secret", "a/l3"), Errno::NotCapable);
  EXPECT_EQ(symlink("x/../../../outside", "a/l4"), Errno::NotCapable);
  EXPECT_EQ(symlink("../file", "a/l5"), Errno::Success);
  EXPECT_EQ(symlink("nowhere", "l6"), Errno::Success);
}

TEST_F(BeneathADirectory, APathWithANulIsRefused) {
  write(inside() / "file", "text");
  EXPECT_EQ(guest_.open(kDir, std::string_view("file\0x", 6)), Errno::Inval);
}

TEST_F(BeneathADirectory, ADerivedDirectoryIsASandboxOfItsOwn) {
  fs::create_directory(inside() / "a");
  write(inside() / "file", "text");
  Fd a = 0;
  ASSERT_EQ(
      guest_.open(
          kDir, "a",
          {.oflags = oflags::kDirectory, .base = rights::kDirectory, .inheriting = rights::kAll},
          a),
      Errno::Success);
  EXPECT_EQ(guest_.open(a, "../file"), Errno::Perm);
}

// Go's os.Root: the directory itself is opened without the right to truncate, what is opened
// through it may be written.
TEST_F(BeneathADirectory, TruncatingNeedsTheRightByPathOrByDescriptor) {
  write(inside() / "file", "text");
  Fd again = 0;
  const auto open_directory = [&](Rights inheriting) {
    return guest_.open(kDir, ".",
                       {.oflags = oflags::kDirectory,
                        .base = rights::kDirectory & ~rights::kPathFilestatSetSize,
                        .inheriting = inheriting},
                       again);
  };
  const OpenOptions truncating{.oflags = oflags::kTrunc, .base = rights::kFdWrite};
  ASSERT_EQ(open_directory(rights::kAll & ~rights::kFdFilestatSetSize), Errno::Success);
  EXPECT_EQ(guest_.open(again, "file", truncating), Errno::NotCapable);
  EXPECT_EQ(read(inside() / "file"), "text");
  ASSERT_EQ(open_directory(rights::kAll), Errno::Success);
  EXPECT_EQ(guest_.open(again, "file", truncating), Errno::Success);
  EXPECT_EQ(read(inside() / "file"), "");
}

class ReadOnly : public GuestWithDirectory {
 protected:
  ReadOnly() : GuestWithDirectory(Sandbox::Beneath, true) { write(inside() / "file", "text"); }
};

// GHSA-2r75-cxrj-cmph: truncation did not count as writing.
TEST_F(ReadOnly, OpeningForAnyKindOfChangeIsRefused) {
  EXPECT_EQ(guest_.open(kDir, "file", {.base = rights::kFdWrite}), Errno::RoFs);
  EXPECT_EQ(guest_.open(kDir, "file", {.base = rights::kFdAllocate}), Errno::RoFs);
  EXPECT_EQ(guest_.open(kDir, "file", {.oflags = oflags::kTrunc}), Errno::RoFs);
  EXPECT_EQ(guest_.open(kDir, "new", {.oflags = oflags::kCreat}), Errno::RoFs);
  EXPECT_EQ(guest_.open(kDir, "file", {.oflags = oflags::kCreat}), Errno::Success);
  EXPECT_EQ(read(inside() / "file"), "text");
}

// What Go's standard library asks for when it opens a file to read it.
TEST_F(ReadOnly, AFileIsReadByWhoAsksForTheRightToSetItsSize) {
  Fd fd = 0;
  constexpr Rights kGo = rights::kFdRead | rights::kFdFilestatSetSize;
  ASSERT_EQ(guest_.open(kDir, "file", {.base = kGo}, fd), Errno::Success);
  EXPECT_EQ(guest_.read(fd), "text");
  EXPECT_EQ(guest_.call<fd_filestat_set_size>(fd, std::uint64_t{0}), Errno::NotCapable);
}

TEST_F(ReadOnly, EntriesCannotBeChanged) {
  const Size file = guest_.put_text(FakeGuest::kPath, "file");
  const Size other = guest_.put_text(FakeGuest::kPath2, "new");
  constexpr Address kFile = FakeGuest::kPath;
  constexpr Address kNew = FakeGuest::kPath2;
  EXPECT_EQ(guest_.call<path_unlink_file>(kDir, kFile, file), Errno::RoFs);
  EXPECT_EQ(guest_.call<path_create_directory>(kDir, kNew, other), Errno::RoFs);
  EXPECT_EQ(guest_.call<path_remove_directory>(kDir, kFile, file), Errno::RoFs);
  EXPECT_EQ(guest_.call<path_rename>(kDir, kFile, file, kDir, kNew, other), Errno::RoFs);
  EXPECT_EQ(guest_.call<path_link>(kDir, 0U, kFile, file, kDir, kNew, other), Errno::RoFs);
  EXPECT_EQ(guest_.call<path_symlink>(kFile, file, kDir, kNew, other), Errno::RoFs);
  EXPECT_EQ(guest_.call<path_filestat_set_times>(kDir, 0U, kFile, file, 0, 0, fstflags::kMtimNow),
            Errno::RoFs);
}

TEST_F(ReadOnly, WhatIsOpenedThroughItIsReadOnlyToo) {
  Fd again = 0;
  Fd file = 0;
  ASSERT_EQ(
      guest_.open(
          kDir, ".",
          {.oflags = oflags::kDirectory, .base = rights::kDirectory, .inheriting = rights::kAll},
          again),
      Errno::Success);
  EXPECT_EQ(guest_.open(again, "file", {.base = rights::kFdWrite}), Errno::RoFs);
  ASSERT_EQ(guest_.open(again, "file", {.base = rights::kAll & ~rights::kWriting}, file),
            Errno::Success);
  EXPECT_EQ(guest_.call<fd_filestat_set_times>(file, 0, 0, fstflags::kMtimNow), Errno::RoFs);
}

/// 3 may be written, 4 only read.
class TwoPermissions : public ::testing::Test {
 protected:
  WasiOptions options() const {
    WasiOptions out;
    for (const char* name : {"writable", "read-only"}) {
      fs::create_directory(dir_.path() / name);
      std::ofstream(dir_.path() / name / "file") << name;
      Preopen& preopen = out.preopens.emplace_back();
      preopen.directory = base::open_file(dir_.path() / name, O_RDONLY | O_DIRECTORY).value();
      preopen.guest_path = name;
      preopen.read_only = out.preopens.size() == 2;
    }
    return out;
  }

  base::TempDir dir_;
  FakeGuest guest_{options()};
};

// GHSA-4ch3-9j33-3pmj: a file became writable under a second name in a writable directory.
TEST_F(TwoPermissions, NoNameCrossesThem) {
  const Size old_size = guest_.put_text(FakeGuest::kPath, "file");
  const Size new_size = guest_.put_text(FakeGuest::kPath2, "new");
  for (const auto& [from, to] : {std::pair<Fd, Fd>(4, 3), std::pair<Fd, Fd>(3, 4)}) {
    EXPECT_EQ(guest_.call<path_link>(from, 0U, FakeGuest::kPath, old_size, to, FakeGuest::kPath2,
                                     new_size),
              Errno::RoFs);
    EXPECT_EQ(
        guest_.call<path_rename>(from, FakeGuest::kPath, old_size, to, FakeGuest::kPath2, new_size),
        Errno::RoFs);
  }
  EXPECT_FALSE(fs::exists(dir_.path() / "writable/new"));
  EXPECT_FALSE(fs::exists(dir_.path() / "read-only/new"));
}

class InARoot : public GuestWithDirectory {
 protected:
  InARoot() : GuestWithDirectory(Sandbox::InRoot) {}
};

TEST_F(InARoot, AbsoluteLinksAndDotDotResolveInside) {
  fs::create_directory(inside() / "etc");
  write(inside() / "etc/passwd", "inside");
  fs::create_symlink("/etc/passwd", inside() / "link");
  fs::create_symlink("../../../../etc/passwd", inside() / "etc/up");
  for (const char* path : {"link", "etc/up", "../../etc/passwd", "/etc/passwd"}) {
    Fd fd = 0;
    ASSERT_EQ(guest_.open(kDir, path, {}, fd), Errno::Success) << path;
    EXPECT_EQ(guest_.read(fd), "inside") << path;
  }
}

TEST_F(InARoot, AbsoluteLinksMayBeMade) {
  const Size target = guest_.put_text(FakeGuest::kPath, "/etc/passwd");
  const Size size = guest_.put_text(FakeGuest::kPath2, "link");
  EXPECT_EQ(guest_.call<path_symlink>(FakeGuest::kPath, target, kDir, FakeGuest::kPath2, size),
            Errno::Success);
}

/// A container's root with a procfs in it, as near as a test comes without mounting: the host's
/// root.
class WithProcfs : public ::testing::Test {
 protected:
  static WasiOptions options() {
    WasiOptions out;
    Preopen& preopen = out.preopens.emplace_back();
    preopen.directory = base::open_file("/", O_RDONLY | O_DIRECTORY).value();
    preopen.guest_path = "/";
    preopen.sandbox = Sandbox::InRoot;
    out.stdio[0] = base::open_file("/dev/null", O_RDONLY).value();
    return out;
  }
  FakeGuest guest_{options()};
};

TEST_F(WithProcfs, TheMemoryOfItsOwnProcessIsRefused) {
  EXPECT_EQ(guest_.open(3, "proc/self/mem"), Errno::NotCapable);
  EXPECT_EQ(guest_.open(3, "proc/self/mem", {.base = rights::kFdWrite}), Errno::NotCapable);
  EXPECT_EQ(guest_.open(3, "proc/thread-self/mem", {.base = rights::kFdWrite}), Errno::NotCapable);
  EXPECT_EQ(guest_.open(3, "proc/self/pagemap"), Errno::NotCapable);
}

TEST_F(WithProcfs, TheMemoryIsRefusedUnderOtherNamesToo) {
  base::TempDir dir;
  fs::create_symlink("/proc/self/mem", dir.path() / "harmless");
  const std::string path = (dir.path() / "harmless").native();
  EXPECT_EQ(guest_.open(3, path, {.base = rights::kFdWrite}), Errno::NotCapable);
  EXPECT_EQ(guest_.open(3, path, {.oflags = oflags::kTrunc, .base = 0}), Errno::NotCapable);
  EXPECT_EQ(guest_.open(3, path, {.oflags = oflags::kCreat, .base = rights::kFdWrite}),
            Errno::NotCapable);
}

TEST_F(WithProcfs, NothingOnProcfsIsWritten) {
  EXPECT_EQ(guest_.open(3, "proc/self/comm", {.base = rights::kFdWrite}), Errno::NotCapable);
  EXPECT_EQ(guest_.open(3, "proc/sys/kernel/hostname", {.base = rights::kFdWrite}),
            Errno::NotCapable);
}

TEST_F(WithProcfs, ItsDirectoriesAreNoWayAroundThat) {
  for (const std::uint32_t flags : {0U, oflags::kDirectory}) {
    Fd proc = 0;
    const OpenOptions options{
        .oflags = flags, .base = rights::kPathOpen, .inheriting = rights::kAll};
    ASSERT_EQ(guest_.open(3, "proc", options, proc), Errno::Success);
    EXPECT_EQ(guest_.open(proc, "self/mem"), Errno::NotCapable);
    EXPECT_EQ(guest_.open(proc, "self/comm", {.base = rights::kFdWrite}), Errno::NotCapable);
    EXPECT_EQ(guest_.open(proc, "version"), Errno::Success);
  }
}

TEST_F(WithProcfs, FilesOnOtherMountsAreMadeChangedAndRead) {
  struct stat root{};
  struct stat shm{};
  if (::stat("/", &root) != 0 || ::stat("/dev/shm", &shm) != 0 || root.st_dev == shm.st_dev) {
    GTEST_SKIP() << "/dev/shm is no mount of its own";
  }
  const std::string path = "/dev/shm/wherry-sandbox-test." + std::to_string(::getpid());
  EXPECT_EQ(guest_.open(3, path), Errno::NoEnt);
  Fd fd = 0;
  const OpenOptions make{.oflags = oflags::kCreat | oflags::kExcl, .base = rights::kFdWrite};
  ASSERT_EQ(guest_.open(3, path, make, fd), Errno::Success);
  guest_.put_iovec(FakeGuest::kPath, guest_.put_text(FakeGuest::kPath, "text"));
  EXPECT_EQ(guest_.call<fd_write>(fd, FakeGuest::kIovs, 1U, FakeGuest::kResult), Errno::Success);
  EXPECT_EQ(guest_.open(3, path, make), Errno::Exist);
  EXPECT_EQ(guest_.open(3, path, {}, fd), Errno::Success);
  EXPECT_EQ(guest_.read(fd), "text");
  EXPECT_EQ(guest_.open(3, path, {.oflags = oflags::kTrunc, .base = rights::kFdWrite}),
            Errno::Success);
  EXPECT_EQ(fs::file_size(path), 0U);
  EXPECT_TRUE(fs::remove(path));
}

TEST_F(WithProcfs, HarmlessFilesOfProcfsCanBeRead) {
  Fd fd = 0;
  ASSERT_EQ(guest_.open(3, "proc/version", {}, fd), Errno::Success);
  EXPECT_EQ(guest_.read(fd).substr(0, 5), "Linux");
}

TEST_F(WithProcfs, MagicLinksAreRefused) {
  EXPECT_EQ(guest_.open(3, "proc/self/exe"), Errno::Loop);
  EXPECT_EQ(guest_.open(3, "proc/self/fd/0"), Errno::Loop);
  EXPECT_EQ(guest_.open(3, "proc/self/root/etc/passwd"), Errno::Loop);
  EXPECT_EQ(guest_.open(3, "proc/self/cwd"), Errno::Loop);
}

TEST_F(WithProcfs, DevStdinIsTheGuestsOwn) {
  Fd fd = 0;
  ASSERT_EQ(guest_.open(3, "dev/stdin", {.base = rights::kAll}, fd), Errno::Success);
  struct stat null{};
  ASSERT_EQ(::stat("/dev/null", &null), 0);
  ASSERT_EQ(guest_.call<fd_filestat_get>(fd, FakeGuest::kBuffer), Errno::Success);
  EXPECT_EQ(guest_.get<Filestat>(FakeGuest::kBuffer).ino, null.st_ino);
  // Opened for reading, it stays so.
  EXPECT_EQ(guest_.call<fd_write>(fd, FakeGuest::kIovs, 0U, FakeGuest::kResult), Errno::BadF);
  EXPECT_EQ(guest_.open(3, "dev/fd/0"), Errno::Success);
  EXPECT_EQ(guest_.open(3, "dev/fd/99"), Errno::BadF);
}

}  // namespace
}  // namespace engine::wasi
