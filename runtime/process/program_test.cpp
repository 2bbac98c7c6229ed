#include "runtime/process/program.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.hpp"
#include "base/temp_dir.hpp"

namespace runtime::process {
namespace {

TEST(FindProgram, SearchesThePathOfTheGivenEnvironment) {
  const base::TempDir directory;
  const std::string path = directory.path() / "tool";
  ASSERT_TRUE(base::write_atomic(path, "#!/bin/sh\n", 0755));
  const auto found = find_program("tool", {"PATH=/nowhere:" + directory.path().string()});
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, path);
}

TEST(FindProgram, AMissingNameIsToldInGosWords) {
  const auto found = find_program("no-such-tool", {"PATH=/bin"});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message(), "exec: \"no-such-tool\": executable file not found in $PATH");
  EXPECT_FALSE(find_program("sh", {}));
}

TEST(FindProgram, AMissingPathIsToldInGosWords) {
  const auto found = find_program("/no/such", {});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message(),
            "exec: \"/no/such\": stat /no/such: no such file or directory");
}

TEST(FindProgram, DirectoriesAndFilesWithoutTheRightAreRefused) {
  const base::TempDir directory;
  const std::string path = directory.path() / "data";
  ASSERT_TRUE(base::write_atomic(path, "x", 0644));
  EXPECT_FALSE(find_program(directory.path(), {}));
  const auto found = find_program(path, {});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message(), "exec: \"" + path + "\": permission denied");
}

TEST(FindVariable, TheLastOneCountsAndNamesMatchWhole) {
  const std::vector<std::string> env{"A=1", "AB=2", "A=3"};
  EXPECT_STREQ(find_variable(env, "A"), "3");
  EXPECT_EQ(find_variable(env, "B"), nullptr);
}

}  // namespace
}  // namespace runtime::process
