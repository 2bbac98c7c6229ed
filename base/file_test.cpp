#include "base/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/temp_dir.hpp"

namespace base {
namespace {

TEST(ReadFile, RefusesMoreThanTheLimitAndNamesBoth) {
  const TempDir dir;
  const std::string path = dir.path() / "big";
  ASSERT_TRUE(write_atomic(path, std::string(100, 'x'), 0600).has_value());

  Result<std::string> result = read_file(path, 99);

  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), ErrorKind::LimitExceeded);
  EXPECT_EQ(result.error().message(), "read " + path + ": 100 bytes, the limit is 99");
  EXPECT_EQ(read_file(path, 100).value().size(), 100U);
}

TEST(ReadFile, ReadsFilesThatTellNoSize) {
  Result<std::string> result = read_file("/proc/self/status", 1 << 20);
  ASSERT_TRUE(result.has_value());
  EXPECT_NE(result->find("Name:"), std::string::npos);
}

TEST(WriteAtomic, LeavesNoTemporaryFileWhenTheTargetIsADirectory) {
  const TempDir dir;
  const std::string path = dir.path() / "target";
  ASSERT_TRUE(make_directories(path + "/full", 0700).has_value());

  EXPECT_FALSE(write_atomic(path, "text", 0600).has_value());

  int entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    ++entries;
  }
  EXPECT_EQ(entries, 1);
}

TEST(OpenFile, DescriptorsAreCloseOnExec) {
  const UniqueFd fd = open_file("/dev/null", O_RDONLY).value();
  EXPECT_NE(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
}

}  // namespace
}  // namespace base
