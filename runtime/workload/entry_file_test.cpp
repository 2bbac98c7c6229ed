#include "runtime/workload/entry_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.hpp"
#include "base/temp_dir.hpp"
#include "runtime/workload/module_file.hpp"

namespace runtime::workload {
namespace {

class EntryFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(dir_.path() / "opt/bin");
    ASSERT_TRUE(base::write_atomic(dir_.path() / "opt/bin/app.wasm",
                                   std::string("\0asm\1\0\0\0", 8), 0640));
    root_ = base::open_file(dir_.path(), O_PATH | O_DIRECTORY).value();
    process_.cwd = "/opt";
    process_.env = {"PATH=/bin:/opt/bin"};
  }
  bool found(const std::string& name) {
    return open_entry_file(root_.get(), process_, name).value().has_value();
  }

  base::TempDir dir_;
  base::UniqueFd root_;
  oci::Process process_;
};

TEST_F(EntryFile, IsFoundByPathByCwdAndAbsolutely) {
  EXPECT_TRUE(found("app.wasm"));
  EXPECT_TRUE(found("bin/app.wasm"));
  EXPECT_TRUE(found("/opt/bin/app.wasm"));
  EXPECT_FALSE(found("other.wasm"));
  EXPECT_FALSE(found("/opt/bin"));
}

TEST_F(EntryFile, LinksOutOfTheRootEndInTheRoot) {
  std::filesystem::create_symlink("/etc/hostname", dir_.path() / "hostname");
  EXPECT_FALSE(found("/hostname"));
}

TEST_F(EntryFile, AFifoIsNoEntryPointAndBlocksNobody) {
  ASSERT_EQ(::mkfifo((dir_.path() / "fifo").c_str(), 0600), 0);
  EXPECT_FALSE(found("/fifo"));
}

TEST_F(EntryFile, ReadingNeedsTheUsersRight) {
  const auto file = open_entry_file(root_.get(), process_, "app.wasm").value();
  oci::User user;
  user.uid = 1000;
  user.gid = 1000;
  EXPECT_FALSE(readable_by(file->get(), user).value());
  user.additional_gids = {::getegid()};
  EXPECT_TRUE(readable_by(file->get(), user).value());
  EXPECT_TRUE(readable_by(file->get(), oci::User{}).value());
}

TEST_F(EntryFile, KindComesFromTheFirstBytes) {
  const auto kind = [this](const std::string& text) {
    const std::string path = dir_.path() / "file";
    EXPECT_TRUE(base::write_atomic(path, text, 0600));
    return kind_of_file(base::open_file(path, O_RDONLY)->get(), path).value();
  };
  EXPECT_EQ(kind(std::string("\0asm\1\0\0\0more", 12)), FileKind::Module);
  EXPECT_EQ(kind(std::string("\0asm\x0d\0\1\0", 8)), FileKind::Component);
  EXPECT_EQ(kind("\x7f"
                 "ELF"),
            FileKind::Other);
  EXPECT_EQ(kind(""), FileKind::Other);
}

}  // namespace
}  // namespace runtime::workload
