#include "engine/cache/cache.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "base/file.hpp"
#include "base/temp_dir.hpp"
#include "engine/artifact/sample_module.hpp"
#include "engine/artifact/writer.hpp"

namespace engine::cache {
namespace {

constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

class CacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = dir_.path() / "aot";
    cache_ = std::make_unique<Cache>(Cache::open(directory_).value());
    key_.module_digest = base::sha256(std::as_bytes(std::span(std::string_view("module"))));
    key_.compiler = "test";
    digest_ = artifact::digest_of(key_);
  }

  std::string path() const { return directory_ + "/artifacts/" + base::to_hex(digest_); }

  std::string lock_path() const { return directory_ + "/locks/" + base::to_hex(digest_); }

  static void age(const std::string& file, std::chrono::seconds by) {
    const std::time_t then = std::time(nullptr) - std::time_t{by.count()};
    const timespec times[2] = {{then, 0}, {0, UTIME_OMIT}};
    ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
  }

  base::Result<base::UniqueFd> publish() {
    const auto bytes =
        artifact::write_artifact(artifact::sample_module(), artifact::sample_code(), key_);
    base::UniqueFd file = cache_->new_file().value();
    EXPECT_TRUE(base::write_all(file.get(), *bytes, "artifact"));
    return cache_->publish(std::move(file), digest_);
  }

  base::TempDir dir_;
  std::string directory_;
  std::unique_ptr<Cache> cache_;
  artifact::ArtifactKey key_;
  base::Sha256 digest_{};
};

TEST_F(CacheTest, FindsWhatWasPublished) {
  EXPECT_FALSE(cache_->find(digest_));
  ASSERT_TRUE(publish());
  EXPECT_TRUE(cache_->find(digest_));
  EXPECT_TRUE(cache_->verify(base::to_hex(digest_)));
}

TEST_F(CacheTest, DescriptorsItGivesOutCannotWrite) {
  const base::UniqueFd fd = publish().value();
  EXPECT_EQ(::fcntl(fd.get(), F_GETFL) & O_ACCMODE, O_RDONLY);
}

TEST_F(CacheTest, RootCannotReopenItsDescriptorsForWriting) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const base::UniqueFd published = publish().value();
  const std::optional<base::UniqueFd> found = cache_->find(digest_);
  ASSERT_TRUE(found);
  for (const int fd : {published.get(), found->get()}) {
    const auto again = base::open_file("/proc/self/fd/" + std::to_string(fd), O_RDWR);
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().sys_errno(), EROFS);
  }
}

TEST_F(CacheTest, ManyWhoPublishAtOnceShareOneFile) {
  std::vector<std::thread> threads;
  std::vector<ino_t> inodes(8);
  for (ino_t& inode : inodes) {
    threads.emplace_back([&] {
      const auto fd = publish();
      ASSERT_TRUE(fd.has_value());
      inode = base::stat_fd(fd->get(), "artifact")->st_ino;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const ino_t inode : inodes) EXPECT_EQ(inode, inodes.front());
}

TEST_F(CacheTest, RemovesAFileThatIsCutAtAnyPlace) {
  const auto size = [&] {
    const base::UniqueFd fd = publish().value();
    return base::stat_fd(fd.get(), "artifact")->st_size;
  }();
  for (off_t length = 0; length < size; length += 97) {
    ASSERT_EQ(::truncate(path().c_str(), length), 0);
    EXPECT_FALSE(cache_->find(digest_)) << length;
    EXPECT_FALSE(std::filesystem::exists(path())) << length;
    ASSERT_TRUE(publish());
  }
}

TEST_F(CacheTest, RefusesTheArtifactOfAnotherNode) {
  ASSERT_TRUE(publish());
  std::filesystem::remove(directory_ + "/key");
  const Cache other = Cache::open(directory_).value();
  EXPECT_FALSE(other.find(digest_));
}

TEST_F(CacheTest, RefusesAnAlteredHeader) {
  ASSERT_TRUE(publish());
  std::filesystem::permissions(path(), std::filesystem::perms::owner_write,
                               std::filesystem::perm_options::add);
  {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(64 + 16 + 5);  // inside the module's digest
    file.put('\x55');
  }
  EXPECT_FALSE(cache_->find(digest_));
}

TEST_F(CacheTest, VerifyNoticesAnAlteredText) {
  ASSERT_TRUE(publish());
  const auto size = std::filesystem::file_size(path());
  std::filesystem::permissions(path(), std::filesystem::perms::owner_write,
                               std::filesystem::perm_options::add);
  {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(size) - 1);
    file.put('\x55');
  }
  EXPECT_FALSE(cache_->verify(base::to_hex(digest_)));
}

TEST_F(CacheTest, RefusesFilesOthersMayWrite) {
  ASSERT_TRUE(publish());
  ASSERT_EQ(::chmod(path().c_str(), 0666), 0);
  EXPECT_FALSE(cache_->find(digest_));
}

TEST_F(CacheTest, RefusesALinkInPlaceOfAnArtifact) {
  ASSERT_TRUE(publish());
  const std::string moved = dir_.path() / "moved";
  std::filesystem::rename(path(), moved);
  std::filesystem::create_symlink(moved, path());
  EXPECT_FALSE(cache_->find(digest_));
}

TEST_F(CacheTest, RefusesADirectoryThatIsOpenToOthers) {
  ASSERT_EQ(::chmod(directory_.c_str(), 0755), 0);
  const auto cache = Cache::open(directory_);
  ASSERT_FALSE(cache.has_value());
  EXPECT_EQ(cache.error().kind(), base::ErrorKind::Invalid);
}

TEST_F(CacheTest, ManyWhoOpenItFirstShareOneKey) {
  const std::string fresh = dir_.path() / "fresh";
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { EXPECT_TRUE(Cache::open(fresh).has_value()); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::filesystem::file_size(fresh + "/key"), 32U);
}

TEST_F(CacheTest, DigestFollowsTheContent) {
  const std::string module = dir_.path() / "app.wasm";
  ASSERT_TRUE(base::write_atomic(module, "one", 0600));
  const base::UniqueFd first = base::open_file(module, O_RDONLY).value();
  const base::Sha256 before = cache_->digest_of(first.get(), module).value();
  ASSERT_TRUE(base::write_atomic(module, "two", 0600));
  const base::UniqueFd second = base::open_file(module, O_RDONLY).value();
  EXPECT_NE(cache_->digest_of(second.get(), module).value(), before);
}

TEST_F(CacheTest, FlightLetsTheSecondWaitForTheFirst) {
  auto first = std::make_unique<Flight>(cache_->begin_flight(digest_).value());
  std::atomic<bool> second_flies = false;
  std::thread second([&] {
    const auto flight = cache_->begin_flight(digest_);
    EXPECT_TRUE(flight.has_value());
    second_flies = true;
  });
  EXPECT_FALSE(second_flies);
  first.reset();
  second.join();
  EXPECT_TRUE(second_flies);
}

TEST_F(CacheTest, OneCompilesAtATimeUntilAnotherHasWaitedLongEnough) {
  using std::chrono::milliseconds;
  const auto begin = std::chrono::steady_clock::now();
  const auto first = cache_->begin_turn(milliseconds(0));
  const auto second = cache_->begin_turn(milliseconds(200));
  EXPECT_TRUE(first && second);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(200));
}

TEST_F(CacheTest, ThereAreFourTurns) {
  std::vector<Flight> taken;
  for (int i = 0; i < 4; ++i) {
    taken.push_back(cache_->begin_turn(std::chrono::milliseconds(0)).value());
  }
  std::atomic<bool> fifth_runs = false;
  std::thread fifth([&] {
    EXPECT_TRUE(cache_->begin_turn(std::chrono::milliseconds(0)));
    fifth_runs = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_FALSE(fifth_runs);
  taken.pop_back();
  fifth.join();
}

TEST_F(CacheTest, PruneTakesWhatWasNotUsedForLongAndWhatBelongsToIt) {
  ASSERT_TRUE(publish());
  static_cast<void>(cache_->begin_flight(digest_).value());
  age(path(), std::chrono::hours(48));
  const auto kept = cache_->prune(std::chrono::hours(72), kNoLimit);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->artifacts, 0U);
  EXPECT_TRUE(std::filesystem::exists(lock_path()));
  const auto pruned = cache_->prune(std::chrono::hours(24), kNoLimit);
  ASSERT_TRUE(pruned);
  EXPECT_EQ(pruned->artifacts, 1U);
  EXPECT_FALSE(std::filesystem::exists(path()));
  EXPECT_FALSE(std::filesystem::exists(lock_path()));
}

TEST_F(CacheTest, ALookupCountsAsUseAndAListingDoesNot) {
  ASSERT_TRUE(publish());
  age(path(), std::chrono::hours(48));
  ASSERT_EQ(cache_->list()->size(), 1U);
  EXPECT_LT(cache_->list()->front().used, std::time(nullptr) - 3600);
  ASSERT_TRUE(cache_->find(digest_));
  EXPECT_EQ(cache_->prune(std::chrono::hours(24), kNoLimit)->artifacts, 0U);
}

TEST_F(CacheTest, PruneKeepsTheNewestThatFit) {
  ASSERT_TRUE(publish());
  const std::string old = path();
  const auto size = std::filesystem::file_size(old);
  age(old, std::chrono::hours(1));
  key_.compiler = "other";
  digest_ = artifact::digest_of(key_);
  ASSERT_TRUE(publish());
  EXPECT_EQ(cache_->prune(std::chrono::hours(24), 2 * size)->artifacts, 0U);
  EXPECT_EQ(cache_->prune(std::chrono::hours(24), 2 * size - 1)->artifacts, 1U);
  EXPECT_FALSE(std::filesystem::exists(old));
  EXPECT_TRUE(std::filesystem::exists(path()));
}

TEST_F(CacheTest, PruneLeavesALockThatIsHeld) {
  const Flight flight = cache_->begin_flight(digest_).value();
  ASSERT_TRUE(cache_->prune(std::chrono::seconds(0), 0));
  EXPECT_TRUE(std::filesystem::exists(lock_path()));
}

}  // namespace
}  // namespace engine::cache
