#include "runtime/rootfs/root.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.hpp"
#include "base/temp_dir.hpp"

namespace runtime::rootfs {
namespace {

namespace fs = std::filesystem;

class RootTest : public testing::Test {
 protected:
  RootTest() {
    fs::create_directories(outside());
    fs::create_directories(inside());
  }
  fs::path outside() const { return directory_.path() / "outside"; }
  fs::path inside() const { return directory_.path() / "root"; }
  Root root() const { return Root(*base::open_file(inside(), O_PATH | O_DIRECTORY)); }

 private:
  base::TempDir directory_;
};

TEST_F(RootTest, DirectoriesAreMadeWithTheirParents) {
  ASSERT_TRUE(root().make_directories("/a/b/c"));
  EXPECT_TRUE(fs::is_directory(inside() / "a/b/c"));
}

TEST_F(RootTest, AnAbsoluteLinkMakesDirectoriesInsideOnly) {
  fs::create_directory_symlink(outside(), inside() / "link");
  // The link's target does not exist in the root; nothing may appear behind it outside.
  static_cast<void>(root().make_directories("/link/made"));
  EXPECT_TRUE(fs::is_empty(outside()));
}

TEST_F(RootTest, ALinkThatClimbsMakesFilesInsideOnly) {
  fs::create_directory_symlink("../../../outside", inside() / "up");
  static_cast<void>(root().make_file("/up/made"));
  EXPECT_TRUE(fs::is_empty(outside()));
}

TEST_F(RootTest, AFileIsMadeOnceAndKept) {
  ASSERT_TRUE(root().make_file("/etc/hosts"));
  ASSERT_TRUE(base::write_existing(inside() / "etc/hosts", "x"));
  ASSERT_TRUE(root().make_file("/etc/hosts"));
  EXPECT_EQ(fs::file_size(inside() / "etc/hosts"), 1U);
}

TEST_F(RootTest, ADanglingLinkIsFollowedInsideAndItsTargetMade) {
  fs::create_directories(inside() / "etc");
  fs::create_symlink("/jump/b/hosts", inside() / "etc/hosts");
  fs::create_symlink("../../../../outside/deep", inside() / "jump");
  ASSERT_TRUE(root().make_file("/etc/hosts"));
  EXPECT_TRUE(fs::is_regular_file(inside() / "outside/deep/b/hosts"));
  EXPECT_TRUE(fs::is_empty(outside()));
}

TEST_F(RootTest, ParentsAreThoseOfTheLinksTarget) {
  fs::create_directories(inside() / "a/b");
  fs::create_directory_symlink("/a/b", inside() / "link");
  ASSERT_TRUE(root().make_directories("/link/../made/../also"));
  EXPECT_TRUE(fs::is_directory(inside() / "a/also"));
}

TEST_F(RootTest, LinksThatPointAtEachOtherAreAnError) {
  fs::create_symlink("/b", inside() / "a");
  fs::create_symlink("/a/x", inside() / "b");
  const auto refused = root().make_directories("/a/made");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sys_errno(), ELOOP);
}

TEST_F(RootTest, AFileInTheWayOfADirectoryIsAnError) {
  ASSERT_TRUE(root().make_file("/a"));
  EXPECT_FALSE(root().make_directories("/a/b"));
}

}  // namespace
}  // namespace runtime::rootfs
