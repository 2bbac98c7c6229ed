#include <map>

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

TEST_F(Directories, AFileHasNoEntries) {
  write(inside() / "file", "");
  Fd fd = 0;
  ASSERT_EQ(guest_.open(kDir, "file", {}, fd), Errno::Success);
  EXPECT_EQ(guest_.call<fd_readdir>(fd, FakeGuest::kBuffer, 64U, 0, FakeGuest::kResult),
            Errno::NotDir);
}

}  // namespace
}  // namespace engine::wasi
