#include <sys/resource.h>

#include "engine/wasi/fake_guest.hpp"

namespace engine::wasi {
namespace {

class Files : public GuestWithDirectory {
 protected:
  Fd opened(std::string_view path, OpenOptions options = {}) {
    Fd fd = 0;
    EXPECT_EQ(guest_.open(kDir, path, options, fd), Errno::Success) << path;
    return fd;
  }
  Fd created(std::string_view path, Rights base = rights::kAll) {
    return opened(path, {.oflags = oflags::kCreat, .base = base});
  }
  Errno write_text(Fd fd, std::string_view text) {
    guest_.put_iovec(FakeGuest::kBuffer, guest_.put_text(FakeGuest::kBuffer, text));
    return guest_.call<fd_write>(fd, FakeGuest::kIovs, 1U, FakeGuest::kResult);
  }
};

TEST_F(Files, ScatteredBuffersAreWrittenAndReadInOrder) {
  const Fd fd = created("file");
  guest_.put_text(FakeGuest::kBuffer, "worldhello ");
  guest_.put(FakeGuest::kIovs, Iovec{FakeGuest::kBuffer + 5, 6});
  guest_.put(FakeGuest::kIovs + 8, Iovec{FakeGuest::kBuffer, 5});
  ASSERT_EQ(guest_.call<fd_write>(fd, FakeGuest::kIovs, 2U, FakeGuest::kResult), Errno::Success);
  EXPECT_EQ(guest_.get<Size>(FakeGuest::kResult), 11U);
  EXPECT_EQ(read(inside() / "file"), "hello world");
  ASSERT_EQ(guest_.call<fd_seek>(fd, 6, 0U, FakeGuest::kResult), Errno::Success);
  EXPECT_EQ(guest_.read(fd), "world");
}

TEST_F(Files, BuffersOutsideTheMemoryAreAFault) {
  const Fd fd = created("file");
  guest_.put_iovec(FakeGuest::kMemory - 4, 5);
  EXPECT_EQ(guest_.call<fd_write>(fd, FakeGuest::kIovs, 1U, FakeGuest::kResult), Errno::Fault);
  guest_.put_iovec(0xffffffff, 0xffffffff);
  EXPECT_EQ(guest_.call<fd_read>(fd, FakeGuest::kIovs, 1U, FakeGuest::kResult), Errno::Fault);
  EXPECT_EQ(guest_.call<fd_read>(fd, FakeGuest::kMemory - 4, 1U, FakeGuest::kResult), Errno::Fault);
  EXPECT_EQ(guest_.call<fd_read>(fd, FakeGuest::kIovs, 1U, FakeGuest::kMemory - 3), Errno::Fault);
  EXPECT_EQ(read(inside() / "file"), "");
}

TEST_F(Files, MoreBuffersThanTheLimitAreInvalid) {
  const Fd fd = created("file");
  EXPECT_EQ(guest_.call<fd_write>(fd, FakeGuest::kBuffer, 1025U, FakeGuest::kResult), Errno::Inval);
  EXPECT_EQ(guest_.call<fd_write>(fd, FakeGuest::kBuffer, 1024U, FakeGuest::kResult),
            Errno::Success);
  EXPECT_EQ(guest_.call<fd_write>(fd, FakeGuest::kBuffer, 0xffffffffU, FakeGuest::kResult),
            Errno::Inval);
}

TEST_F(Files, ReadingAndWritingNeedTheirRights) {
  write(inside() / "file", "text");
  EXPECT_EQ(write_text(opened("file", {.base = rights::kFdRead}), "x"), Errno::BadF);
  const Fd writable = opened("file", {.base = rights::kFdWrite});
  EXPECT_EQ(guest_.call<fd_read>(writable, FakeGuest::kIovs, 0U, FakeGuest::kResult), Errno::BadF);
  EXPECT_EQ(guest_.call<fd_filestat_set_size>(writable, 0), Errno::NotCapable);
  EXPECT_EQ(guest_.call<fd_sync>(writable), Errno::NotCapable);
  EXPECT_EQ(read(inside() / "file"), "text");
}

// It is opened as any file is, and nobody has looked at it yet.
TEST_F(Files, ADirectoryIsNotRead) {
  std::filesystem::create_directory(inside() / "directory");
  const OpenOptions options{.base = rights::kAll & ~rights::kWriting, .inheriting = rights::kAll};
  const Fd fd = opened("directory", options);
  guest_.put_iovec(FakeGuest::kBuffer, 16);
  const auto read_error = [&] {
    return guest_.call<fd_read>(fd, FakeGuest::kIovs, 1U, FakeGuest::kResult);
  };
  EXPECT_EQ(read_error(), Errno::IsDir);
  ASSERT_EQ(guest_.call<fd_fdstat_get>(fd, FakeGuest::kResult), Errno::Success);
  const auto stat = guest_.get<Fdstat>(FakeGuest::kResult);
  EXPECT_EQ(stat.filetype, Filetype::Directory);
  EXPECT_EQ(stat.rights_base & ~rights::kDirectory, 0U);
  EXPECT_NE(stat.rights_inheriting, 0U);
  EXPECT_EQ(read_error(), Errno::IsDir);
}

TEST_F(Files, AFileHandsNothingOn) {
  write(inside() / "file", "text");
  const Fd fd = opened("file", {.base = rights::kAll, .inheriting = rights::kAll});
  EXPECT_EQ(guest_.read(fd), "text");
  ASSERT_EQ(guest_.call<fd_fdstat_get>(fd, FakeGuest::kResult), Errno::Success);
  const auto stat = guest_.get<Fdstat>(FakeGuest::kResult);
  EXPECT_EQ(stat.filetype, Filetype::RegularFile);
  EXPECT_EQ(stat.rights_base, rights::kFile);
  EXPECT_EQ(stat.rights_inheriting, 0U);
}

TEST_F(Files, PositionedReadsLeaveThePositionAlone) {
  write(inside() / "file", "0123456789");
  const Fd fd = opened("file", {.base = rights::kFdRead | rights::kFdTell});
  guest_.put_iovec(FakeGuest::kBuffer, 3);
  ASSERT_EQ(guest_.call<fd_pread>(fd, FakeGuest::kIovs, 1U, 4, FakeGuest::kResult), Errno::Success);
  EXPECT_EQ(guest_.text(FakeGuest::kBuffer, 3), "456");
  ASSERT_EQ(guest_.call<fd_tell>(fd, FakeGuest::kResult), Errno::Success);
  EXPECT_EQ(guest_.get<std::uint64_t>(FakeGuest::kResult), 0U);
  EXPECT_EQ(guest_.call<fd_pread>(fd, FakeGuest::kIovs, 1U, -1, FakeGuest::kResult), Errno::Inval);
}

TEST_F(Files, WhenceIsNumberedDifferentlyInTheOlderModule) {
  write(inside() / "file", "0123456789");
  const Fd fd = opened("file", {.base = rights::kFdRead | rights::kFdSeek});
  ASSERT_EQ(guest_.call<fd_seek>(fd, -1, 2U, FakeGuest::kResult), Errno::Success);
  EXPECT_EQ(guest_.get<std::uint64_t>(FakeGuest::kResult), 9U);
  ASSERT_EQ(guest_.call<fd_seek_unstable>(fd, 2, 2U, FakeGuest::kResult), Errno::Success);
  EXPECT_EQ(guest_.get<std::uint64_t>(FakeGuest::kResult), 2U);
  EXPECT_EQ(guest_.call<fd_seek>(fd, 0, 3U, FakeGuest::kResult), Errno::Inval);
}

TEST_F(Files, RightsOnlyShrink) {
  const Fd fd = created("file", rights::kFdRead | rights::kFdWrite);
  EXPECT_EQ(guest_.call<fd_fdstat_set_rights>(fd, rights::kFdRead, 0), Errno::Success);
  EXPECT_EQ(write_text(fd, "x"), Errno::BadF);
  EXPECT_EQ(guest_.call<fd_fdstat_set_rights>(fd, rights::kFdRead | rights::kFdWrite, 0),
            Errno::NotCapable);
}

TEST_F(Files, WhatIsOpenedHasNoMoreThanTheDirectoryHandsOn) {
  Fd sub = 0;
  std::filesystem::create_directory(inside() / "sub");
  write(inside() / "sub/file", "text");
  ASSERT_EQ(
      guest_.open(
          kDir, "sub",
          {.oflags = oflags::kDirectory, .base = rights::kPathOpen, .inheriting = rights::kFdRead},
          sub),
      Errno::Success);
  EXPECT_EQ(guest_.open(sub, "file", {.base = rights::kFdRead}), Errno::Success);
  EXPECT_EQ(guest_.open(sub, "file", {.base = rights::kFdWrite}), Errno::NotCapable);
  EXPECT_EQ(guest_.open(sub, "new", {.oflags = oflags::kCreat}), Errno::NotCapable);
}

// GHSA-3p27-qvp9-27qf: renumbering leaked what the target number stood for.
TEST_F(Files, RenumberClosesWhatTheTargetStoodFor) {
  write(inside() / "a", "a");
  write(inside() / "b", "b");
  const Fd a = opened("a");
  const Fd b = opened("b");
  const auto open_now = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  const auto before = open_now();
  ASSERT_EQ(guest_.call<fd_renumber>(a, b), Errno::Success);
  EXPECT_EQ(open_now(), before - 1);
  EXPECT_EQ(guest_.read(b), "a");
  EXPECT_EQ(guest_.call<fd_close>(a), Errno::BadF);
  EXPECT_EQ(guest_.call<fd_renumber>(b, b), Errno::Success);
  EXPECT_EQ(guest_.call<fd_renumber>(b, 1000U), Errno::BadF);
  EXPECT_EQ(guest_.read(b), "");
}

TEST_F(Files, TheLowestFreeNumberIsUsed) {
  write(inside() / "file", "");
  const Fd first = opened("file");
  const Fd second = opened("file");
  ASSERT_EQ(guest_.call<fd_close>(first), Errno::Success);
  EXPECT_EQ(opened("file"), first);
  EXPECT_NE(second, first);
}

TEST_F(Files, RunningOutOfHostDescriptorsIsAnErrno) {
  write(inside() / "file", "");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 40;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  Errno last = Errno::Success;
  for (int i = 0; i < 60 && last == Errno::Success; ++i) last = guest_.open(kDir, "file");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(last, Errno::MFile);
}

TEST_F(Files, ABadResultPointerOpensNothing) {
  write(inside() / "file", "");
  const Fd next = opened("file");
  ASSERT_EQ(guest_.call<fd_close>(next), Errno::Success);
  const Size size = guest_.put_text(FakeGuest::kPath, "file");
  EXPECT_EQ(guest_.call<path_open>(kDir, 0U, FakeGuest::kPath, size, 0U, rights::kFdRead, 0, 0U,
                                   FakeGuest::kMemory - 3),
            Errno::Fault);
  EXPECT_EQ(opened("file"), next);
}

TEST_F(Files, APreopenTellsItsName) {
  ASSERT_EQ(guest_.call<fd_prestat_get>(kDir, FakeGuest::kResult), Errno::Success);
  EXPECT_EQ(guest_.get<Prestat>(FakeGuest::kResult).name_length, 1U);
  ASSERT_EQ(guest_.call<fd_prestat_dir_name>(kDir, FakeGuest::kBuffer, 1U), Errno::Success);
  EXPECT_EQ(guest_.text(FakeGuest::kBuffer, 1), "/");
  EXPECT_EQ(guest_.call<fd_prestat_dir_name>(kDir, FakeGuest::kBuffer, 0U), Errno::NameTooLong);
  EXPECT_EQ(guest_.call<fd_prestat_get>(4U, FakeGuest::kResult), Errno::BadF);
}

TEST_F(Files, StandardStreamsThatAreNotOpenKeepTheirNumbers) {
  EXPECT_EQ(guest_.call<fd_fdstat_get>(0U, FakeGuest::kResult), Errno::BadF);
  EXPECT_EQ(guest_.call<fd_fdstat_get>(2U, FakeGuest::kResult), Errno::BadF);
  EXPECT_EQ(guest_.call<fd_fdstat_get>(kDir, FakeGuest::kResult), Errno::Success);
}

TEST_F(Files, TheOlderFilestatIsShorter) {
  const Fd fd = created("file");
  ASSERT_EQ(write_text(fd, "12345"), Errno::Success);
  ASSERT_EQ(guest_.call<fd_filestat_get>(fd, FakeGuest::kResult), Errno::Success);
  EXPECT_EQ(guest_.get<Filestat>(FakeGuest::kResult).size, 5U);
  ASSERT_EQ(guest_.call<fd_filestat_get_unstable>(fd, FakeGuest::kResult), Errno::Success);
  EXPECT_EQ(guest_.get<FilestatUnstable>(FakeGuest::kResult).size, 5U);
  EXPECT_EQ(guest_.get<FilestatUnstable>(FakeGuest::kResult).nlink, 1U);
}

TEST_F(Files, TimesAreSetThroughPathsOnLinksThemselves) {
  std::filesystem::create_symlink("nowhere", inside() / "link");
  const Size size = guest_.put_text(FakeGuest::kPath, "link");
  const std::uint64_t time = 1'000'000'001'000'000'002;
  ASSERT_EQ(guest_.call<path_filestat_set_times>(kDir, 0U, FakeGuest::kPath, size, 0, time,
                                                 fstflags::kMtim),
            Errno::Success);
  ASSERT_EQ(guest_.call<path_filestat_get>(kDir, 0U, FakeGuest::kPath, size, FakeGuest::kResult),
            Errno::Success);
  EXPECT_EQ(guest_.get<Filestat>(FakeGuest::kResult).mtim, time);
  EXPECT_EQ(guest_.get<Filestat>(FakeGuest::kResult).filetype, Filetype::SymbolicLink);
  EXPECT_EQ(guest_.call<path_filestat_set_times>(kDir, 0U, FakeGuest::kPath, size, 0, 0,
                                                 fstflags::kMtim | fstflags::kMtimNow),
            Errno::Inval);
}

TEST_F(Files, AreSynchronisedByThoseWithTheRight) {
  Fd fd = 0;
  const Rights both = rights::kFdSync | rights::kFdDatasync;
  ASSERT_EQ(
      guest_.open(kDir, "new", {.oflags = oflags::kCreat, .base = rights::kFdWrite | both}, fd),
      Errno::Success);
  EXPECT_EQ(guest_.call<fd_sync>(fd), Errno::Success);
  EXPECT_EQ(guest_.call<fd_datasync>(fd), Errno::Success);
  ASSERT_EQ(guest_.call<fd_fdstat_set_rights>(fd, rights::kFdSync, Rights{0}), Errno::Success);
  EXPECT_EQ(guest_.call<fd_sync>(fd), Errno::Success);
  EXPECT_EQ(guest_.call<fd_datasync>(fd), Errno::NotCapable);
  EXPECT_EQ(guest_.call<fd_sync>(99U), Errno::BadF);
}

}  // namespace
}  // namespace engine::wasi
