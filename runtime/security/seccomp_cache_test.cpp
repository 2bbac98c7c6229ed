#include "runtime/security/seccomp_cache.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/file.hpp"
#include "base/temp_dir.hpp"
#include "runtime/security/seccomp.hpp"

namespace runtime::security {
namespace {

oci::Seccomp profile_of(const char* name) {
  oci::Seccomp profile;
  profile.default_action = oci::SeccompAction::Errno;
  profile.syscalls = {{{name}, oci::SeccompAction::Allow, {}, {}}};
  return profile;
}

bool same(const std::vector<sock_filter>& a, const std::vector<sock_filter>& b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](const sock_filter& x, const sock_filter& y) {
           return x.code == y.code && x.jt == y.jt && x.jf == y.jf && x.k == y.k;
         });
}

std::size_t entries(const std::string& directory) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory)) ++count;
  return count;
}

class SeccompCacheDirectory : public testing::Test {
 protected:
  std::string directory() const { return temp_.path() / "cache"; }
  std::string entry(const oci::Seccomp& profile) const {
    return directory() + "/" + SeccompCache::key_of(profile);
  }
  SeccompCache opened() const {
    auto cache = SeccompCache::open(directory());
    EXPECT_TRUE(cache) << cache.error().message();
    return *std::move(cache);
  }

 private:
  base::TempDir temp_;
};

TEST_F(SeccompCacheDirectory, ASecondCompilationComesFromTheCache) {
  const SeccompCache cache = opened();
  const oci::Seccomp profile = profile_of("read");
  const auto first = compile_seccomp(profile, &cache);
  ASSERT_TRUE(first);
  ASSERT_EQ(entries(directory()), 1U);

  // Only the cache can know this program.
  std::vector<sock_filter> marked = {sock_filter{BPF_RET | BPF_K, 0, 0, 0x7fff1234}};
  ASSERT_EQ(::unlink(entry(profile).c_str()), 0);
  ASSERT_TRUE(cache.store(SeccompCache::key_of(profile), marked));
  const auto second = compile_seccomp(profile, &cache);
  ASSERT_TRUE(second);
  EXPECT_TRUE(same(second->filter, marked));
}

TEST_F(SeccompCacheDirectory, TheKeyIsTheFilterNotTheListenerOrTheFlags) {
  oci::Seccomp profile = profile_of("read");
  const std::string key = SeccompCache::key_of(profile);
  profile.listener_path = "/run/agent";
  profile.listener_metadata = "x";
  profile.flags.emplace();
  EXPECT_EQ(SeccompCache::key_of(profile), key);
  profile.default_errno_ret = 5;
  EXPECT_NE(SeccompCache::key_of(profile), key);
  EXPECT_NE(SeccompCache::key_of(profile_of("write")), key);
}

TEST_F(SeccompCacheDirectory, DamagedEntriesAreRemovedAndCompiledAgain) {
  const SeccompCache cache = opened();
  const oci::Seccomp profile = profile_of("read");
  const auto good = compile_seccomp(profile, &cache);
  ASSERT_TRUE(good);
  const std::string path = entry(profile);
  const std::string bytes = *base::read_file(path, 1 << 20);

  std::string flipped = bytes;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  const std::string damages[] = {"",
                                 bytes.substr(0, 20),
                                 bytes.substr(0, 48),
                                 bytes.substr(0, bytes.size() - 8),
                                 bytes + std::string(8, '\0'),
                                 bytes + "x",
                                 flipped,
                                 std::string(100000, 'x')};
  for (const std::string& damage : damages) {
    ASSERT_EQ(::unlink(path.c_str()), 0);
    std::ofstream(path, std::ios::binary) << damage;
    ::chmod(path.c_str(), 0600);
    EXPECT_FALSE(cache.find(SeccompCache::key_of(profile)).has_value()) << damage.size();
    EXPECT_FALSE(std::filesystem::exists(path));
    const auto again = compile_seccomp(profile, &cache);
    ASSERT_TRUE(again);
    EXPECT_TRUE(same(again->filter, good->filter));
    EXPECT_EQ(*base::read_file(path, 1 << 20), bytes);
  }
}

TEST_F(SeccompCacheDirectory, EntriesThatOthersCouldHaveWrittenAreNotUsed) {
  const SeccompCache cache = opened();
  const oci::Seccomp profile = profile_of("read");
  const std::string key = SeccompCache::key_of(profile);
  ASSERT_TRUE(compile_seccomp(profile, &cache));
  ::chmod(entry(profile).c_str(), 0620);
  EXPECT_FALSE(cache.find(key).has_value());

  ASSERT_TRUE(compile_seccomp(profile, &cache));
  std::filesystem::rename(entry(profile), directory() + "/elsewhere");
  std::filesystem::create_symlink("elsewhere", entry(profile));
  EXPECT_FALSE(cache.find(key).has_value());

  if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a file away";
  ASSERT_TRUE(compile_seccomp(profile, &cache));
  ASSERT_EQ(::chown(entry(profile).c_str(), 1, 1), 0);
  EXPECT_FALSE(cache.find(key).has_value());
}

TEST_F(SeccompCacheDirectory, ADirectoryOpenToOthersIsRefused) {
  opened();
  ASSERT_EQ(::chmod(directory().c_str(), 0755), 0);
  const auto refused = SeccompCache::open(directory());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), base::ErrorKind::Invalid);
}

TEST_F(SeccompCacheDirectory, ACacheThatCannotBeWrittenIsNoFailure) {
  const SeccompCache cache = opened();
  std::filesystem::remove_all(directory());
  EXPECT_TRUE(compile_seccomp(profile_of("read"), &cache));
}

TEST_F(SeccompCacheDirectory, ItDoesNotGrowWithoutBound) {
  const SeccompCache cache = opened();
  const std::vector<sock_filter> filter = {sock_filter{BPF_RET | BPF_K, 0, 0, 0}};
  for (int i = 0; i < 600; ++i) {
    ASSERT_TRUE(cache.store(std::to_string(i), filter));
  }
  EXPECT_LE(entries(directory()), 256U);
  EXPECT_TRUE(cache.find("599").has_value());
}

}  // namespace
}  // namespace runtime::security
