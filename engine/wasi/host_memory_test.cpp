// Whatever sizes a guest asks for, the host allocates next to nothing (GHSA-852m-cvvp-9p4w,
// GHSA-243v-98vx-264h): the peak of the process's memory is looked at.
#include <sys/resource.h>

#include "engine/wasi/fake_guest.hpp"

namespace engine::wasi {
namespace {

long peak_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

class LargeGuest : public GuestWithDirectory {
 protected:
  LargeGuest() {
    guest_.memory.resize(kLarge);
    // An instance of each: what they keep is not counted.
    guest_.call<fd_readdir>(kDir, FakeGuest::kBuffer, 64U, std::uint64_t{0}, FakeGuest::kResult);
    guest_.call<random_get>(FakeGuest::kBuffer, 8U);
    // What tests before this one needed is forgotten (proc(5), clear_refs).
    const base::UniqueFd peak = base::open_file("/proc/self/clear_refs", O_WRONLY).value();
    EXPECT_TRUE(base::write_all(peak.get(), "5", "clear_refs"));
    peak_ = peak_kib();
  }

  static constexpr Size kLarge = Size{192} << 20;
  static constexpr Size kMost = kLarge - FakeGuest::kMemory;
  static constexpr Address kTop = FakeGuest::kMemory;

  void expect_no_growth() const {
    constexpr long kAllowedKib = 48 << 10;  // poll_oneoff has 10 MiB; sanitizers keep what is freed
    EXPECT_LT(peak_kib() - peak_, kAllowedKib);
  }

 private:
  long peak_ = 0;
};

TEST_F(LargeGuest, AListingIsMadePieceByPiece) {
  for (int i = 0; i < 100; ++i) write(inside() / ("file" + std::to_string(i)), "");
  ASSERT_EQ(guest_.call<fd_readdir>(kDir, kTop, kMost, std::uint64_t{0}, FakeGuest::kResult),
            Errno::Success);
  EXPECT_GT(guest_.get<Size>(FakeGuest::kResult), 100 * sizeof(Dirent));
  expect_no_growth();
}

TEST_F(LargeGuest, RandomBytesGoStraightIntoItsMemory) {
  ASSERT_EQ(guest_.call<random_get>(kTop, kMost), Errno::Success);
  expect_no_growth();
}

TEST_F(LargeGuest, ManyLargeBuffersAreNotCopied) {
  write(inside() / "file", "text");
  Fd fd = 0;
  ASSERT_EQ(guest_.open(kDir, "file", {.base = rights::kFdRead}, fd), Errno::Success);
  constexpr Size kCount = 1024;
  for (Size i = 0; i < kCount; ++i) {
    guest_.put(kTop + i * static_cast<Address>(sizeof(Iovec)), Iovec{kTop, 1U << 20});
  }
  EXPECT_EQ(guest_.call<fd_read>(fd, kTop, kCount, FakeGuest::kResult), Errno::Success);
  EXPECT_EQ(guest_.call<fd_read>(fd, kTop, kMost / 8, FakeGuest::kResult), Errno::Inval);
  expect_no_growth();
}

TEST_F(LargeGuest, SubscriptionsAreBounded) {
  constexpr Size kMany = 2 << 20;
  EXPECT_EQ(guest_.call<poll_oneoff>(kTop, kTop, kMany, FakeGuest::kResult), Errno::Inval);
  // Clocks of zero: all happen at once.
  EXPECT_EQ(guest_.call<poll_oneoff>(kTop, kTop + (Address{8} << 20), 65536U, FakeGuest::kResult),
            Errno::Success);
  expect_no_growth();
}

TEST_F(LargeGuest, PathsAreBounded) {
  guest_.memory.assign(kLarge, std::byte{'a'});
  EXPECT_EQ(guest_.call<path_create_directory>(kDir, kTop, kMost), Errno::NameTooLong);
  EXPECT_EQ(guest_.call<path_symlink>(kTop, kMost, kDir, kTop, 5U), Errno::NameTooLong);
  EXPECT_EQ(guest_.call<path_readlink>(kDir, kTop, 5U, kTop, kMost, FakeGuest::kResult),
            Errno::NoEnt);
  expect_no_growth();
}

}  // namespace
}  // namespace engine::wasi
