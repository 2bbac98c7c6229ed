#include "base/open_in_root.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/file.hpp"
#include "base/temp_dir.hpp"

namespace base {
namespace {

class OpenInRoot : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(dir_.path() / "etc");
    std::ofstream(dir_.path() / "etc/passwd") << "inside";
    root_ = open_file(dir_.path(), O_PATH | O_DIRECTORY).value();
  }
  TempDir dir_;
  UniqueFd root_;
};

TEST_F(OpenInRoot, AbsoluteSymlinkStaysInsideTheRoot) {
  std::filesystem::create_symlink("/etc/passwd", dir_.path() / "link");
  const UniqueFd fd = open_in_root(root_.get(), "link", O_RDONLY).value();
  EXPECT_EQ(read_all(fd.get(), 100, "link").value(), "inside");
}

TEST_F(OpenInRoot, DotDotStopsAtTheRoot) {
  const UniqueFd fd = open_in_root(root_.get(), "../../../etc/passwd", O_RDONLY).value();
  EXPECT_EQ(read_all(fd.get(), 100, "passwd").value(), "inside");
}

TEST_F(OpenInRoot, MagicLinksAreRefused) {
  const UniqueFd proc = open_file("/proc", O_PATH | O_DIRECTORY).value();
  Result<UniqueFd> fd = open_in_root(proc.get(), "self/fd/0", O_RDONLY);
  ASSERT_FALSE(fd.has_value());
  EXPECT_EQ(fd.error().sys_errno(), ELOOP);
}

TEST_F(OpenInRoot, BeneathRefusesToLeave) {
  Result<UniqueFd> fd = open_beneath(root_.get(), "../x", O_RDONLY);
  ASSERT_FALSE(fd.has_value());
  EXPECT_EQ(fd.error().sys_errno(), EXDEV);
}

}  // namespace
}  // namespace base
