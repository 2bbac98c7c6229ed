#include <map>
#include <set>

#include "engine/wasi/fake_guest.hpp"

namespace engine::wasi {
namespace {

class Directories : public GuestWithDirectory {
 protected:
  /// Everything, by calls with room for `room` bytes each, as a libc does it: a last entry that was
  /// cut is asked for again.
  std::map<std::string, Dirent> list(Size room) {
    std::map<std::string, Dirent> out;
    std::uint64_t cookie = 0;
    for (int calls = 0; calls < 10000; ++calls) {
      const Errno error =
          guest_.call<fd_readdir>(kDir, FakeGuest::kBuffer, room, cookie, FakeGuest::kResult);
      if (error != Errno::Success) break;
      const Size used = guest_.get<Size>(FakeGuest::kResult);
      for (Size at = 0; at + sizeof(Dirent) <= used;) {
        const auto entry = guest_.get<Dirent>(FakeGuest::kBuffer + at);
        at += static_cast<Size>(sizeof(Dirent));
        if (at + entry.name_length > used) break;
        EXPECT_TRUE(
            out.emplace(guest_.text(FakeGuest::kBuffer + at, entry.name_length), entry).second);
        at += entry.name_length;
        cookie = entry.next;
      }
      if (used < room) return out;
    }
    ADD_FAILURE() << "no end";
    return out;
  }
};

TEST_F(Directories, AreListedWithTypesAndDots) {
  write(inside() / "file", "");
  std::filesystem::create_symlink("x", inside() / "link");
  const auto entries = list(4096);
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_EQ(entries.at("file").filetype, Filetype::RegularFile);
  EXPECT_EQ(entries.at("link").filetype, Filetype::SymbolicLink);
  EXPECT_EQ(entries.at(".").filetype, Filetype::Directory);
  EXPECT_TRUE(entries.contains(".."));
}

TEST_F(Directories, AreListedWholeWhateverTheSizeOfTheBuffer) {
  for (int i = 0; i < 500; ++i) write(inside() / ("a-rather-long-name-" + std::to_string(i)), "");
  EXPECT_EQ(list(64).size(), 502U);
  EXPECT_EQ(list(1000).size(), 502U);
  EXPECT_EQ(list(28000).size(), 502U);
}

TEST_F(Directories, AFullBufferMeansThatThereIsMore) {
  write(inside() / "file", "");
  ASSERT_EQ(guest_.call<fd_readdir>(kDir, FakeGuest::kBuffer, 30U, 0, FakeGuest::kResult),
            Errno::Success);
  EXPECT_EQ(guest_.get<Size>(FakeGuest::kResult), 30U);
}

// Entries are remembered between calls, but not beyond a rewind.
TEST_F(Directories, WhatWasMadeMeanwhileIsListedFromTheStartOn) {
  write(inside() / "first", "");
  EXPECT_EQ(list(64).size(), 3U);
  write(inside() / "second", "");
  std::filesystem::remove(inside() / "first");
  const auto entries = list(64);
  EXPECT_EQ(entries.size(), 3U);
  EXPECT_TRUE(entries.contains("second"));
}

TEST_F(Directories, TwoAreReadByTurnsEachFromItsOwnCookie) {
  std::filesystem::create_directory(inside() / "other");
  for (int i = 0; i < 50; ++i) write(inside() / "other" / ("o" + std::to_string(i)), "");
  Fd other = 0;
  ASSERT_EQ(
      guest_.open(kDir, "other", {.oflags = oflags::kDirectory, .base = rights::kFdReaddir}, other),
      Errno::Success);
  std::set<std::string> names;
  std::uint64_t cookie = 0;
  for (int i = 0; i < 52; ++i) {
    constexpr Address kBuffer = 0xa000;
    ASSERT_EQ(guest_.call<fd_readdir>(other, kBuffer, 40U, cookie, FakeGuest::kResult),
              Errno::Success);
    const auto entry = guest_.get<Dirent>(kBuffer);
    cookie = entry.next;
    names.insert(guest_.text(kBuffer + static_cast<Address>(sizeof(Dirent)), entry.name_length));
    EXPECT_EQ(list(64).size(), 3U);
  }
  EXPECT_EQ(names.size(), 52U);
}

TEST_F(Directories, NamesNeedNotBeUtf8) {
  write(inside() / "caf\xe9\xff", "text");
  EXPECT_TRUE(list(4096).contains("caf\xe9\xff"));
  Fd fd = 0;
  ASSERT_EQ(guest_.open(kDir, "caf\xe9\xff", {}, fd), Errno::Success);
  EXPECT_EQ(guest_.read(fd), "text");
}

TEST_F(Directories, AFileHasNoEntries) {
  write(inside() / "file", "");
  Fd fd = 0;
  ASSERT_EQ(guest_.open(kDir, "file", {}, fd), Errno::Success);
  EXPECT_EQ(guest_.call<fd_readdir>(fd, FakeGuest::kBuffer, 64U, 0, FakeGuest::kResult),
            Errno::NotDir);
}

}  // namespace
}  // namespace engine::wasi
